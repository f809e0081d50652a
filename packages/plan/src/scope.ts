import type { Path, Report } from "./document.ts";

/** What every rule needs. */
export interface PlanScope {
  /** The plan's version; endless when it is not readable. */
  readonly version: number;
  /** Whether a part (see units.ts) has the types that format.ts says. */
  readonly isSound: (path: Path) => boolean;
  readonly report: Report;
  /** Columns of the store seen so far: their path in a message to their type. */
  readonly columns: Map<string, string>;
}

/** What the rules of a block of fields need. */
export interface FieldScope extends PlanScope {
  /** Where the block stands in the file. */
  readonly path: Path;
  readonly place: "context" | "ids" | "event";
  /** Where the block stands in a message: `["properties", "datasource"]`. */
  readonly names: readonly string[];
  /** Of what the fields stand in. */
  readonly since: number;
  /** 1: fields of the message itself. */
  readonly depth: number;
}

/** The sentence about a version that the plan has not reached. */
export function newerThanPlan(version: number): string {
  return `This is newer than the plan. Raise the plan's \`version\` from ${version}, or write a number up to it.`;
}

/** Whether it is a day of the calendar, written `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}
