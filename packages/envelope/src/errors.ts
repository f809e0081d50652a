/**
 * Defines the errors with which a whole request is refused before any of its messages is read, and the base
 * class for errors with a code.
 */

/** One entry of a table of errors. `{name}` in the message is replaced by the detail of that name. */
export interface ErrorEntry {
  readonly status?: number;
  /** After how many seconds a client should retry. */
  readonly retryAfterS?: number;
  /** The text for a person: what happened, then what to do. */
  readonly message: string;
}

/**
 * The errors of a whole request. Each status is chosen for what clients do: they discard their batch after
 * any 4xx except 408, 410, 429 and 460, and retry after a 5xx.
 */
export const WIRE_ERRORS = {
  body_unreadable: {
    status: 400,
    message: "The body is not readable JSON: {why}. Send one JSON object, encoded as UTF-8.",
  },
  body_not_object: {
    status: 400,
    message: 'The body is not a JSON object. Send one message, or {"batch":[...]}.',
  },
  batch_not_array: {
    status: 400,
    message: 'The field "batch" is not an array. Send {"batch":[message, ...]}.',
  },
  encoding_unknown: {
    status: 400,
    message:
      "This content-encoding is not supported. Send the body uncompressed, or with content-encoding: gzip.",
  },
  body_too_large: {
    status: 413,
    message: "The body is larger than {limitBytes} bytes (after gunzip). Send smaller batches.",
  },
  batch_too_long: { status: 413, message: "The batch has more than {limit} messages. Send smaller batches." },
  body_fragmented: {
    status: 400,
    message: "The body arrives in chunks of a few bytes. Send it whole, or in chunks of at least a kilobyte.",
  },
  body_timeout: { status: 408, message: "The request did not arrive in time. Send it again." },
  method_not_allowed: { status: 405, message: "This address takes {allow}." },
} as const satisfies { [code: string]: ErrorEntry };

export type WireErrorCode = keyof typeof WIRE_ERRORS;

export interface ErrorDetails {
  readonly [name: string]: string | number;
}

/**
 * An error from a table. `message` is for people, and `code` is for programs. Neither contains anything that
 * a client sent.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  /** The HTTP status. Default: 500. */
  readonly status: number;
  /** The seconds for the Retry-After header. A detail of this name overrides the table. */
  readonly retryAfterS: number | undefined;
  /** The allowed methods, for the Allow header. */
  readonly allow: string | undefined;

  constructor(code: Code, entry: ErrorEntry, details: ErrorDetails = {}, cause?: unknown) {
    const message = entry.message.replace(/\{(\w+)\}/g, (slot, name: string) =>
      String(details[name] ?? slot),
    );
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = entry.status ?? 500;
    this.retryAfterS = details.retryAfterS === undefined ? entry.retryAfterS : Number(details.retryAfterS);
    this.allow = details.allow === undefined ? undefined : String(details.allow);
  }
}
