/**
 * Defines the engine's errors: faults as ClickHouse reports them, and the error of a machine that cannot run
 * the engine.
 */

/**
 * A fault that is reported as ClickHouse reports its own faults, with the same code and name
 * (ErrorCodes.cpp). So a client's ClickHouseError has the same `code` and `type` for the embedded store and
 * for a cluster.
 */
export class ClickHouseFault extends Error {
  readonly code: number;
  readonly type: string;

  constructor(code: number, type: string, message: string) {
    super(message);
    this.name = "ClickHouseFault";
    this.code = code;
    this.type = type;
  }
}

/** Creates the faults that this package detects itself. All other faults are passed on from the engine. */
export const fault = {
  badArguments: (message: string) => new ClickHouseFault(36, "BAD_ARGUMENTS", message),
  notImplemented: (message: string) => new ClickHouseFault(48, "NOT_IMPLEMENTED", message),
  syntax: (message: string) => new ClickHouseFault(62, "SYNTAX_ERROR", message),
  unknownCompression: (encoding: string) =>
    new ClickHouseFault(
      89,
      "UNKNOWN_COMPRESSION_METHOD",
      `Content-Encoding ${JSON.stringify(encoding)} is not taken here: send gzip, deflate or none`,
    ),
  tooManyQueries: (waiting: number) =>
    new ClickHouseFault(202, "TOO_MANY_SIMULTANEOUS_QUERIES", `${waiting} queries are already waiting`),
  tooLarge: (maxBytes: number) =>
    new ClickHouseFault(
      229,
      "QUERY_IS_TOO_LARGE",
      `The request body is longer than ${maxBytes} bytes: send it in smaller blocks`,
    ),
  badCompression: () => new ClickHouseFault(354, "ZLIB_INFLATE_FAILED", "The request body does not inflate"),
  cancelled: () => new ClickHouseFault(394, "QUERY_WAS_CANCELLED", "The client went away"),
} as const;

/** Thrown if this machine cannot run the engine. The message says why, and what to do instead. */
export class EngineUnsupportedError extends Error {
  readonly platform: string;

  constructor(platform: string, why: string) {
    super(why);
    this.name = "EngineUnsupportedError";
    this.platform = platform;
  }
}
