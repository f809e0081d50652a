/**
 * The entry `@candor/node/operator`: exports the commands of the package's own program, and the functions
 * they use, for the `candor` command, which has the same commands.
 */

export { type Fields, parseFields, textOf, toFields } from "@candor/envelope/unknown-value";
export { VERSION } from "../version.ts";
export {
  FORGET_TIMEOUT_MS,
  NoAnswer,
  post,
  Refused,
  reachCauseOf,
  readAddress,
  readDate,
  toReachable,
  toShown,
  WRITE_AN_ADDRESS,
} from "./collector.ts";
export { compare } from "./compare.ts";
export { forgetInstance, printReceipt } from "./forget.ts";
export { type InspectOptions, inspect } from "./inspect.ts";
export type { AskOptions } from "./own-instance.ts";
export {
  COULD_NOT,
  type Colours,
  coloursFor,
  createColours,
  endWithReader,
  print,
  readTypedLine,
  refuse,
  report,
  toClock,
  toSafeJson,
  toSafeText,
} from "./terminal.ts";
