export { createIds } from "./ids.ts";
export {
  type Envelope,
  type JsonObject,
  type JsonValue,
  MESSAGE_TYPES,
  type Message,
  type MessageType,
} from "./message.ts";
export { HASHED_MESSAGE_ID } from "./message-id.ts";
export { type BatchDefaults, isObject, type ParseReason, parseMessage } from "./parse.ts";
export { type IdSource, type Receipt, stampMessage } from "./stamp.ts";
export { parseTime, toIsoTime } from "./times.ts";
