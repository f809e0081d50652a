export interface SilenceOptions {
  /** Set on `process.env` meanwhile. @default { DO_NOT_TRACK: "1" } */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /**
   * What the product does without telemetry: `127.0.0.1:5432`, `db.internal` (its lookup, and connections to what it
   * resolves to), `db.internal:5432`, a file's path or a folder's, or the target of anything else as an error shows it.
   */
  readonly allow?: readonly string[] | undefined;
  /** How long it goes on watching once the function is done, for work in the background, in milliseconds. @default 200 */
  readonly settleMs?: number | undefined;
}

/**
 * For tests of a product: runs it with telemetry turned off, and fails when anything of this process connects, looks up a
 * name, sends a datagram, starts a child process or a thread, or makes, changes or deletes a file. Listening and reading
 * are silent. It watches the whole process, so nothing else may run meanwhile. Not seen: connections and file handles
 * that were open before, and functions of node:fs that a CommonJS module has taken out of it before
 * (`const { open } = require("fs")`): start the product inside of the function.
 * @returns what the function returns
 * @throws SilenceError with a list of what happened; what the function throws; an Error while another one is running
 * @example
 * await assertSilent(() => startProduct(), { allow: ["127.0.0.1:5432", "/tmp/product-test"] });
 */
export async function assertSilent<Value>(
  run: () => Value | PromiseLike<Value>,
  options: SilenceOptions = {},
): Promise<Value> {
  // Not before: a product in production has no use for what this loads.
  const { runSilently } = await import("./run-silently.ts");
  return runSilently(run, options);
}
