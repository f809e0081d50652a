/** Measures how anonymous the stored data is: which fields single an instance out. */
import { type Field, type Fields, type Plan, rootOf } from "@candor/plan";
import { ask, type ReportDependencies, type ReportHead, type Row, readHead, shareOf } from "./ask.ts";
import type { Period } from "./period.ts";

/** At least this share of an identifying field's instances have a value that no other instance has. */
const IDENTIFYING_SHARE = 0.1;
/** Among fewer instances, nearly every value is the only one of its kind. */
const LEAST_INSTANCES = 20;

/** The answer of GET /api/reports/anonymity. */
export interface AnonymityReport extends ReportHead {
  /** All facts of the heartbeat together, for the instances that are counted. */
  readonly facts: Anonymity;
  /**
   * Number of instances that the events of these days are of. Like `fields`, it covers all instances, also those that
   * other reports leave out. For both, `from` and `to` are the days in UTC on which the events were received.
   */
  readonly instances: number;
  /** Every stored field of the events that carry an instance's id, except the message's own id and times. */
  readonly fields: readonly FieldAnonymity[];
}

export interface Anonymity {
  /** Number of different values, or of different combinations of facts. */
  readonly values: number;
  readonly instances: number;
  /** Number of instances that share the rarest value. */
  readonly smallestGroup: number;
  /** Number of instances with a value that no other instance has. */
  readonly singledOut: number;
  readonly singledOutShare: number | null;
  /** Shannon entropy of the values, in bits: 3 bits distinguish 8 groups of equal size. */
  readonly entropyBits: number;
}

export interface FieldAnonymity extends Anonymity {
  /** The event's name, or its type if it has none; `*` for ids, context and country, which every event may have. */
  readonly event: string;
  /**
   * The field's path, such as `properties.os` or `context.library.name`; `country` for the country. A backslash makes a
   * dot part of a name. A list is one field, whose value is the whole list.
   */
  readonly name: string;
  /**
   * Whether the field singles out at least a tenth of its instances, of which there are at least 20, and is
   * neither their id nor a duration.
   */
  readonly isIdentifying: boolean;
  /**
   * Says what to change in the plan, or that the field is the instance's id, if it singles out at least a
   * tenth of its instances; absent otherwise.
   */
  readonly help?: string;
}

export async function reportAnonymity(deps: ReportDependencies, period: Period): Promise<AnonymityReport> {
  const { plan } = deps.plan.current();
  const [head, [facts = {}], [all = {}], fields] = await Promise.all([
    readHead(deps, period),
    ask(deps.store, "anonymity_facts", period),
    ask(deps.store, "anonymity_instances", period),
    ask(deps.store, "anonymity_fields", period),
  ]);
  return {
    ...head,
    facts: toAnonymity(facts),
    instances: Number(all.instances),
    fields: fields.map((row) => toFieldAnonymity(row, plan)),
  };
}

function toAnonymity(row: Row): Anonymity {
  const [instances, singledOut] = [Number(row.instances), Number(row.singledOut)];
  return {
    values: Number(row.values),
    instances,
    smallestGroup: Number(row.smallestGroup),
    singledOut,
    singledOutShare: shareOf(singledOut, instances),
    entropyBits: Math.max(0, Number(row.entropyBits)),
  };
}

function toFieldAnonymity(row: Row, plan: Plan): FieldAnonymity {
  const anonymity = toAnonymity(row);
  const [event, name] = [String(row.event), String(row.name)];
  const isId = Object.values(plan.sources).some((source) =>
    source?.instanceIds.some((path) => path === name || traitOf(path) === name),
  );
  const field = fieldAt(plan, event, name);
  const isMuch = (anonymity.singledOutShare ?? 0) >= IDENTIFYING_SHARE;
  const isKnown = isId || isDuration(field);
  const isIdentifying = isMuch && !isKnown && anonymity.instances >= LEAST_INSTANCES;
  const about = { event, name, ...anonymity, isIdentifying };
  return isMuch ? { ...about, help: isId ? ID_WORDS : helpFor(name, field) } : about;
}

/** In the messages `identify` and `group`, the property NAME is the trait NAME. */
function traitOf(path: string): string {
  return path.replace(/^properties\./, "traits.");
}

/** Returns the field that a plan declares at a path of an event, or at one of every message; else undefined. */
export function fieldAt(plan: Plan, event: string, name: string): Field | undefined {
  const [root = "", ...path] = name.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
  const places: readonly Readonly<Partial<Fields>>[] =
    event === "*"
      ? Object.values(plan.sources).map(({ context, ids }) => (root === "context" ? context : ids))
      : plan.events
          .filter(
            (one) => (one.type === "track" ? one.name : one.type) === event && rootOf(one.type) === root,
          )
          .map(({ fields }) => fields);
  const names = event === "*" && root !== "context" ? [root] : path;
  for (const fields of places) {
    const found = findField(fields, names);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findField(
  fields: Readonly<Partial<Fields>>,
  [name = "", ...others]: readonly string[],
): Field | undefined {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (others.length === 0) return field;
  return field?.type === "object" ? findField(field.fields, others) : undefined;
}

const ID_WORDS = "It is the instance's id, which is there to tell instances apart.";

function isDuration(field: Field | undefined): boolean {
  return field !== undefined && "measure" in field && field.measure === "duration";
}

function helpFor(name: string, field: Field | undefined): string {
  if (name === "country") return "It is looked up from the address. Set the source's `ip` to `drop`.";
  if (field === undefined)
    return "The plan does not declare it. Declare it, or set the source's mode to enforce.";
  if (isDuration(field))
    return "It is a duration: its values differ by chance. Declare `buckets` if their range is enough.";
  if (field.type === "integer" || field.type === "number")
    return "Declare `buckets`, so that only a range is kept.";
  if (field.type === "string" && field.format === "ip")
    return "It is an address. Set the source's `ip` to `country` or `drop`.";
  if (field.type === "string" && field.format === "user_agent")
    return "It is a user agent. Set the source's `user_agent` to `family` or `drop`.";
  if (field.type === "string" && field.hash)
    return "It is a pseudonym. Leave it out where no question needs it.";
  if (field.type === "array")
    return "It is a list, and the combination of its items is what is rare. Keep fewer of them, or leave it out.";
  if (field.sensitivity === "content")
    return "People type it. Leave it out, or keep only the values that you know: an `enum`.";
  if (field.type === "string" && field.enum === undefined)
    return "Replace the `pattern` by an `enum` of the values that matter.";
  return "Join rare values, or leave it out.";
}
