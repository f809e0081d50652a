/** Defines the error that lists everything wrong with a plan file. */
/** One thing that is wrong with a plan file, and where. */
export interface PlanFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `events[0].properties.os.enum`; `plan` for the file as a whole. */
  readonly path: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
}

/** Everything that is wrong with a plan file, in the order of the file; the message has a line for each fault. */
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
