/** Owns what the command line alone does with its terminal; the rest it shares with the program of `@candor/node`. */
import { toSafeText } from "@candor/node/operator";
import { CandorError } from "@candor/server";

export {
  type Colours,
  coloursFor,
  createColours,
  endWithReader,
  print,
  readTypedLine,
  report,
  toClock,
  toSafeJson,
  toSafeText,
} from "@candor/node/operator";

/** Goes on when the readers of stdout and stderr have left: a collector outlives its terminal's pager. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/** A fault as the operator reads it: foreseen ones say what to do, others show where they happened. */
export function toFaultText(error: unknown): string {
  const known = error instanceof CandorError ? error.message : undefined;
  const text = known ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  return text.split("\n").map(toSafeText).join("\n");
}
