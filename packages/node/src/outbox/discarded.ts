import { constants } from "node:fs";
import { openPlain } from "../state/plain-file.ts";

const SPACE = 32;
/** A line that begins with a space, behind another line. */
const NEXT_DISCARDED = "\n ";

/** Where a line stands, without its line break. */
export interface LinePlace {
  readonly fromByte: number;
  readonly toByte: number;
}

/** Whether the line that begins there was discarded: only spaces are left of it, so that what is behind it stays where it is. */
export function isDiscarded(bytes: Buffer, lineFromByte: number): boolean {
  return bytes[lineFromByte] === SPACE;
}

export function isDiscardedText(line: string): boolean {
  return line.startsWith(" ");
}

/** @param lines whole lines */
export function hasDiscarded(lines: Buffer): boolean {
  return isDiscarded(lines, 0) || lines.includes(NEXT_DISCARDED);
}

/** Overwrites lines of a file. Another process may append to it meanwhile. @throws the file system's error */
export async function discardLines(path: string, places: readonly LinePlace[]): Promise<void> {
  const file = await openPlain(path, constants.O_WRONLY);
  try {
    for (const { fromByte, toByte } of places) {
      const length = toByte - fromByte;
      await file.write(Buffer.alloc(length, SPACE), 0, length, fromByte);
    }
  } finally {
    await file.close();
  }
}
