/** Defines what the rules of a plan file know about the place they check. */
import type { Path, Report } from "./document.ts";

/** What every rule needs. */
export interface PlanScope {
  /** The plan's version; infinite if it cannot be read. */
  readonly version: number;
  /** Whether a part (see units.ts) has the types that format.ts requires. */
  readonly isSound: (path: Path) => boolean;
  readonly report: Report;
  /** Columns of the store seen so far: path in a message to type. */
  readonly columns: Map<string, string>;
}

/** What the rules of a block of fields need. */
export interface FieldScope extends PlanScope {
  /** The block's position in the file. */
  readonly path: Path;
  readonly place: "context" | "ids" | "event";
  /** The block's position in a message: `["properties", "datasource"]`. */
  readonly names: readonly string[];
  /** That of the enclosing block. */
  readonly since: number;
  /** 1 for fields of the message itself. */
  readonly depth: number;
}

/** The sentence about a version that the plan has not reached. */
export function newerThanPlan(version: number): string {
  return `This is newer than the plan. Raise the plan's \`version\` from ${version}, or write a number up to it.`;
}

/** Whether it is a date that exists, written `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}
