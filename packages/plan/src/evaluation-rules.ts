/** Owns what the keys for reports require: `fact`, `dimension`, `measure` and `heartbeat`. */
import type { Path, Report } from "./document.ts";
import type { FieldFile } from "./field-format.ts";
import type { EventFile } from "./format.ts";
import { applyRules, type Rule } from "./rule.ts";

const MAX_MARKED = { fact: 16, dimension: 8 } as const;
/** The longest value by which reports count. */
const MAX_LENGTH = 64;

interface MarkScope {
  /** Whether the field is directly in an event's properties. */
  readonly isOwn: boolean;
}

const MARK_RULES: readonly Rule<FieldFile, MarkScope>[] = [
  ...(["fact", "dimension"] as const).flatMap((key): Rule<FieldFile, MarkScope>[] => [
    {
      key,
      part: "key",
      isBroken: (field, { isOwn }) => field[key] === true && !isOwn,
      say: `Reports read an event's own \`properties\`. Move the field there, or remove \`${key}\`.`,
    },
    {
      key,
      part: "key",
      isBroken: (field) => field[key] === true && !hasFewValues(field),
      say: `Reports count by it, so it needs few values. Add an \`enum\`, a \`pattern\` with \`max_length\` up to ${MAX_LENGTH}, or \`buckets\`; or remove \`${key}\`.`,
    },
    {
      key,
      part: "key",
      isBroken: (field) => field[key] === true && (field.hash === true || isPersonal(field)),
      say: `What people typed, how to reach them and who they are is nothing to count by. Remove \`${key}\`.`,
    },
  ]),
  {
    key: "fact",
    part: "key",
    isBroken: ({ fact, sensitivity }) => fact === true && sensitivity === "interaction",
    say: "A fact is about the machine: its sensitivity is `technical`. Remove `fact`, or write `dimension`.",
  },
  {
    key: "dimension",
    part: "key",
    isBroken: ({ fact, dimension }) => fact === true && dimension === true,
    say: "A fact can be asked for already. Remove `dimension`, or `fact`.",
  },
  {
    key: "measure",
    part: "key",
    isBroken: ({ measure }, { isOwn }) => measure !== undefined && !isOwn,
    say: "Reports read an event's own `properties`. Move the field there, or remove `measure`.",
  },
  {
    key: "measure",
    isBroken: ({ measure, type }) => measure === "success" && type !== "boolean",
    say: "`success` is measured by a boolean. Write `type: boolean`, or remove `measure`.",
  },
  {
    key: "measure",
    isBroken: ({ measure, type }) => measure === "duration" && type !== "integer" && type !== "number",
    say: "`duration` is a number of milliseconds. Write `type: integer`, or remove `measure`.",
  },
];

/** Checks the marks of one field. */
export function checkMarks(field: FieldFile, path: Path, scope: MarkScope, report: Report): void {
  applyRules(MARK_RULES, field, scope, path, report);
}

function hasFewValues({
  type,
  enum: values,
  pattern,
  max_length = Number.POSITIVE_INFINITY,
  buckets,
}: FieldFile): boolean {
  if (type === "boolean") return true;
  if (type === "string") return values !== undefined || (pattern !== undefined && max_length <= MAX_LENGTH);
  return (type === "integer" || type === "number") && buckets !== undefined;
}

function isPersonal({ sensitivity }: FieldFile): boolean {
  return sensitivity === "content" || sensitivity === "contact";
}

/**
 * Checks that a block does not mark too many fields.
 * @param fields the fields of an event's properties, as far as they are sound
 */
export function checkMarkCounts(
  fields: Readonly<Record<string, FieldFile>>,
  path: Path,
  report: Report,
): void {
  const entries = Object.entries(fields);
  for (const key of ["fact", "dimension"] as const) {
    const [first] = entries.filter(([, field]) => field[key] === true).slice(MAX_MARKED[key]);
    if (first !== undefined)
      report([...path, first[0], key], `An event has at most ${MAX_MARKED[key]} of these. Remove it.`, "key");
  }
  for (const measure of ["success", "duration"] as const) {
    const [, second] = entries.filter(([, field]) => field.measure === measure);
    if (second !== undefined)
      report(
        [...path, second[0], "measure"],
        `An event measures \`${measure}\` by one field. Remove it here.`,
        "key",
      );
  }
}

/** Checks the mark of the heartbeat. @param seen whether an earlier event has it */
export function checkHeartbeat(
  { heartbeat, type, source }: EventFile,
  path: Path,
  seen: boolean,
  report: Report,
): void {
  if (heartbeat !== true) return;
  if (type !== "track" || source.length !== 1 || source[0] !== "server")
    report(
      [...path, "heartbeat"],
      "A heartbeat is a `track` event of `source: [server]`. Remove it here.",
      "key",
    );
  else if (seen) report([...path, "heartbeat"], "A plan has one heartbeat. Remove it here.", "key");
}
