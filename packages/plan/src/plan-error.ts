/** Defines the error that lists everything wrong with a plan file. */

/** One fault of a plan file, and its position. */
export interface PlanFault {
  readonly file: string;
  /** The line, counted from 1. */
  readonly line: number;
  /** The column, counted from 1. */
  readonly column: number;
  /** The path of the fault: `events[0].properties.os.enum`; `plan` for the file as a whole. */
  readonly path: string;
  /** The text for a person: what is wrong, and what to write instead. */
  readonly message: string;
}

/**
 * The error with all faults of a plan file, in the order of the file. The message has one line for each
 * fault.
 */
export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly faults: readonly PlanFault[];

  constructor(faults: readonly PlanFault[]) {
    const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    super(sorted.map(toLine).join("\n"));
    this.faults = sorted;
  }
}

function toLine({ file, line, column, path, message }: PlanFault): string {
  return `${file}:${line}:${column} ${path}: ${message}`;
}
