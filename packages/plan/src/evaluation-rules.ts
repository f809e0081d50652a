/** Checks what the keys for reports require: `fact`, `dimension`, `measure` and `heartbeat`. */
import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import type { FieldFile } from "./field-format.ts";
import type { EventFile, PlanFile } from "./format.ts";
import { usualInstanceIds } from "./plan.ts";
import { applyRules, isKeptText, type Rule } from "./rule.ts";

const MAX_MARKED = { fact: 16, dimension: 8 } as const;
/** The greatest `max_length` of a fact or dimension with a `pattern`, in UTF-16 code units. */
const MAX_LENGTH = 64;
/**
 * The greatest difference between `minimum` and `maximum` of a dimension without `buckets`: enough for HTTP
 * status codes.
 */
const MAX_RANGE = 1000;

const FEW = `an \`enum\`, a \`pattern\` with \`max_length\` up to ${MAX_LENGTH}, or \`buckets\``;
/** What to add to a field so that it has few values, by key. */
const BOUNDS = {
  fact: FEW,
  dimension: `${FEW}, or to an integer a \`minimum\` and \`maximum\` at most ${MAX_RANGE} apart`,
} as const;

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
      isBroken: (field) =>
        field[key] === true && !hasFewValues(field) && !(key === "dimension" && isNarrow(field)),
      say: `Reports count by it, so it needs few values. Add ${BOUNDS[key]}; or remove \`${key}\`.`,
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

/** Checks the keys `fact`, `dimension` and `measure` of one field. */
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

/**
 * Whether a field is an integer with a small range. That is enough for a dimension, but not for a fact: the
 * facts of an instance are combined, and many possible values could single it out.
 */
function isNarrow({ type, minimum, maximum }: FieldFile): boolean {
  return (
    type === "integer" && minimum !== undefined && maximum !== undefined && maximum - minimum <= MAX_RANGE
  );
}

function isPersonal({ sensitivity }: FieldFile): boolean {
  return sensitivity === "content" || sensitivity === "contact";
}

/**
 * Checks that a block does not mark too many fields as facts, dimensions or measures.
 * @param fields those fields of the block whose structure is valid
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

interface HeartbeatScope {
  readonly sources: Partial<PlanFile>["sources"];
  readonly isSound: (path: Path) => boolean;
  readonly report: Report;
}

/**
 * Checks the key `heartbeat` of one event.
 * @param seen whether an earlier event is a heartbeat
 */
export function checkHeartbeat(event: EventFile, path: Path, seen: boolean, scope: HeartbeatScope): void {
  const { heartbeat, type, source } = event;
  if (heartbeat !== true) return;
  const fail = (message: string) => scope.report([...path, "heartbeat"], message, "key");
  if (type !== "track" || source.length !== 1 || source[0] !== "server")
    fail("A heartbeat is a `track` event of `source: [server]`. Remove it here.");
  else if (seen) fail("A plan has one heartbeat. Remove it here.");
  else {
    const missing = missingInstanceId(event, path, scope);
    if (missing !== undefined)
      fail(
        `Reports count instances by it, so it carries their id. Declare \`${missing}\` in its \`properties\`, as a string without \`hash\` and \`format\`; or remove \`heartbeat\`.`,
      );
  }
}

/**
 * Returns the property that a heartbeat must declare so that its messages contain the instance's id;
 * undefined if they contain it already, or if the fault is reported elsewhere.
 */
function missingInstanceId(
  { properties = {} }: EventFile,
  path: Path,
  { sources, isSound }: HeartbeatScope,
): string | undefined {
  const server: unknown = sources?.server;
  if (!isRecord(server) || !isSound(["sources", "server"]) || server.instance_id === "anonymousId") return;
  const given = server.instance_id === undefined ? usualInstanceIds("server") : [String(server.instance_id)];
  const names = given.map((place) => place.replace(/^properties\./, ""));
  const isCarried = names.some((name) => {
    if (name === "anonymousId") return isRecord(server.ids) && isKeptText(server.ids.anonymousId);
    if (!Object.hasOwn(properties, name)) return false;
    return !isSound([...path, "properties", name]) || isKeptText(properties[name]);
  });
  return isCarried ? undefined : names[0];
}
