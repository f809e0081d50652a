/** Defines what a rule of the plan's checks is, applies rules, and has the conditions that several of them share. */
import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import type { FieldFile } from "./field-format.ts";

/** One requirement: the key at which it is reported, whether it is broken, and what to write instead. */
export interface Rule<Subject, Scope = undefined> {
  readonly key: keyof Subject & string;
  /** If set, the reported position is that of the key instead of its value. */
  readonly part?: "key";
  readonly isBroken: (subject: Subject, scope: Scope) => boolean;
  readonly say: string | ((subject: Subject, scope: Scope) => string);
}

/**
 * Reports each rule that a part of the plan breaks.
 * @param path the path of that part in the file
 */
export function applyRules<Subject, Scope>(
  rules: readonly Rule<Subject, Scope>[],
  subject: Subject,
  scope: Scope,
  path: Path,
  report: Report,
): void {
  for (const { key, part, isBroken, say } of rules) {
    if (isBroken(subject, scope))
      report([...path, key], typeof say === "string" ? say : say(subject, scope), part);
  }
}

/** The sentence for a version that is newer than the plan's version. */
export function newerThanPlan(version: number): string {
  return `This is newer than the plan. Raise the plan's \`version\` from ${version}, or write a number up to it.`;
}

/** Whether a text is an existing date in the form `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

/** Whether a field of the file is a string that is neither hashed nor has a format other than `text`. */
export function isKeptText(field: unknown): boolean {
  const { type, hash = false, format = "text" } = (isRecord(field) ? field : {}) as Partial<FieldFile>;
  return type === "string" && !hash && format === "text";
}
