/**
 * Prints to the terminal, and escapes what is printed. Most of this is shared with the command of
 * `@candor/node`.
 */
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

/**
 * Ignores errors of stdout and stderr: a collector must keep running when the pager that reads its output
 * ends.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/** A line on stderr that is written over and over. Nothing is shown if stderr is no terminal. */
export interface Progress {
  show(text: string): void;
  /** Removes the line. */
  end(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const write = (text: string): void => {
    if (stream.isTTY) stream.write(`\r\u001b[K${text}`);
  };
  return { show: write, end: () => write("") };
}

/** Renders an error for the operator. A known error says what to do; any other is shown with its stack. */
export function toFaultText(error: unknown): string {
  const known = error instanceof CandorError ? error.message : undefined;
  const text = known ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  return text.split("\n").map(toSafeText).join("\n");
}

/** Quotes a word for sh. Tokens and folder names may contain any character. */
export function quote(word: string): string {
  return /^[\w./:@%+=,~-]+$/.test(word) && !word.startsWith("~")
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
