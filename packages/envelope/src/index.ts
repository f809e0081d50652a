/** The entry point of the envelope package for the other packages. */
export { COLLECTOR_REASONS } from "./collector-reasons.ts";
export { createIds } from "./ids.ts";
export { parseJson } from "./json-text.ts";
export {
  type Envelope,
  isObject,
  type JsonObject,
  type JsonValue,
  MESSAGE_TYPES,
  type Message,
  type MessageType,
} from "./message.ts";
export { HASHED_MESSAGE_ID } from "./message-id.ts";
export { parseMessage } from "./parse.ts";
export {
  ALONE,
  MAX_MESSAGE_BYTES,
  MAX_REQUEST_BYTES,
  readShared,
  type Shared,
  sizeFaultOf,
} from "./shared.ts";
export { type IdSource, type Reception, stampMessage } from "./stamp.ts";
export { parseTime, type ReadTime, readTime, toIsoTime } from "./times.ts";
export { isExactNumber, MAX_NESTING_LEVELS, type ValueFault, valueFaultOf } from "./values.ts";
