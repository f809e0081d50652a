/**
 * The entry point for code that reads messages and their times without dependencies. SDKs use it to read
 * browsers' messages.
 */
export { COLLECTOR_REASONS } from "./collector-reasons.ts";
export { parseJson } from "./json-text.ts";
export { isObject, type JsonObject, type JsonValue, type Message, type MessageType } from "./message.ts";
export { HASHED_MESSAGE_ID, isPlainMessageId } from "./message-id.ts";
export { MESSAGE_REASONS, type MessageReason } from "./message-reasons.ts";
export { type ParseReason, parseMessage } from "./parse.ts";
export { MAX_MESSAGE_BYTES, readShared, type Shared, sizeFaultOf } from "./shared.ts";
export { parseTime, resolveTimestamp } from "./times.ts";
export { isExactNumber, type ValueFault, valueFaultOf } from "./values.ts";
