/** What reads a message and its times, without any dependency: SDKs take browsers' messages with it. */
export type { JsonObject, Message, MessageType } from "./message.ts";
export { HASHED_MESSAGE_ID, isPlainMessageId } from "./message-id.ts";
export { isObject, type ParseReason, parseMessage } from "./parse.ts";
export { parseTime, resolveTimestamp } from "./times.ts";
