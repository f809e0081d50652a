/** Prints safe and coloured text on a terminal, reads typed input, and reports errors. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { WriteStream } from "node:tty";

/**
 * Matches everything but plain text: control characters (C0, DEL, C1), invisible formatting (such as the
 * bidirectional overrides, which reorder text), private-use characters, lone surrogates, and line and
 * paragraph separators. Terminals obey control characters, so text from a client could clear the screen,
 * retitle the window, or forge a line.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** Makes a text safe for one line of a terminal: unsafe characters become escapes such as `\u{1b}`. */
export function toSafeText(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/**
 * Escapes unsafe characters in JSON without changing its value. They occur only in strings, where JSON can
 * escape them.
 */
export function toSafeJson(json: string): string {
  return json.replace(UNSAFE, (char) =>
    Array.from({ length: char.length }, (_, at) => {
      const unit = char.charCodeAt(at).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
}

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Colours = { readonly [name in keyof typeof CODES]: (text: string) => string };

/** Creates the functions that colour text. @param isColoured if false, they return the text unchanged */
export function createColours(isColoured: boolean): Colours {
  const { bold, dim, red, green, yellow, cyan } = CODES;
  const paint =
    ([on, off]: readonly [on: number, off: number]) =>
    (text: string): string =>
      isColoured ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    bold: paint(bold),
    dim: paint(dim),
    red: paint(red),
    green: paint(green),
    yellow: paint(yellow),
    cyan: paint(cyan),
  };
}

/** Creates the colours for a stream: none unless it is a terminal for which Node allows colours. */
export function coloursFor(stream: Pick<WriteStream, "isTTY" | "hasColors">): Colours {
  return createColours(stream.isTTY === true && stream.hasColors());
}

/** The time of day as hour, minute and second, in the machine's own time zone. */
export function toClock(time: Date): string {
  return time.toTimeString().slice(0, 8);
}

/** Writes one line with the time to stderr, because stdout is for the requested output. */
export function report(line: string): void {
  const colours = coloursFor(process.stderr);
  process.stderr.write(`${colours.dim(toClock(new Date()))} ${toSafeText(line)}\n`);
}

/** Writes to stdout. Resolves once the stream accepts more, so that a slow reader slows the writer. */
export async function print(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Exits quietly if the reader of stdout has closed the pipe (`| head`). */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

/**
 * Reads a value that identifies a person from standard input. An argument would be visible to every user of
 * the machine and would stay in the shell's history.
 * @param prompt shown on stderr if standard input is a terminal
 * @returns the line without spaces around it; undefined if all are blank, or more than one is not. Of a
 * terminal, only the first line is read
 */
export async function readTypedLine(prompt: string): Promise<string | undefined> {
  const { stdin } = process;
  if (stdin.isTTY) process.stderr.write(prompt);
  const found: string[] = [];
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== "") found.push(line.trim());
    if (stdin.isTTY) break;
  }
  return found.length === 1 ? found[0] : undefined;
}

/**
 * The exit status of a command that could not do what was asked. (Status 1 is an answer: something is missing
 * or differs.)
 */
export const COULD_NOT = 2;

/** Writes to stderr why a command could not do what was asked. @returns the command's exit status */
export function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return COULD_NOT;
}
