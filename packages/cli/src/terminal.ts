import { once } from "node:events";
import type { WriteStream } from "node:tty";
import { CandorError } from "@candor/server";
import pc from "picocolors";
import { toSafeText } from "./safe-text.ts";

export type Colours = ReturnType<typeof pc.createColors>;

/** Colours for a stream: none unless it is a terminal, none when NO_COLOR is set or TERM is dumb. */
export function coloursFor(stream: Pick<WriteStream, "isTTY">): Colours {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}

/** Hour, minute and second of the machine's own time zone. */
export function toClock(time: Date): string {
  return time.toTimeString().slice(0, 8);
}

/** One line for the operator, with the time, on stderr: stdout is for what was asked for. */
export function report(line: string): void {
  const colours = coloursFor(process.stderr);
  process.stderr.write(`${colours.dim(toClock(new Date()))} ${toSafeText(line)}\n`);
}

/** Writes to stdout. Resolves when there is room for more, so that a slow reader slows the writer. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Ends quietly when the reader of stdout has left (`| head`). */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

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
