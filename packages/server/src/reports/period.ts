/** Reads the parameters that reports share: the period, its zone, and which instances count. */
import { parseTime } from "@candor/envelope";
import { factsOf, type Plan } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import type { QueryParams } from "../store/client.ts";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 28;
const MAX_DAYS = 731;
const MAX_FILTERS = 20;

/** The days and the instances that a report covers. */
export interface Period {
  /** First and last day in the zone, `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** An IANA zone, such as `Asia/Kathmandu`. */
  readonly zone: string;
  /** SQL condition for facts and country. `params` has the values of its placeholders, among others. */
  readonly segment: string;
  readonly params: QueryParams;
  /** Returns the same population over as many days directly before these. */
  readonly before: () => Period;
}

export interface PeriodOptions {
  readonly plan: Plan;
  readonly nowMs: number;
  /** Further parameters that this report takes. `WHERE` stands for any name that begins with `where.`. */
  readonly others?: readonly string[];
  /** Those of `others` that may be given several times. */
  readonly repeated?: readonly string[];
  /**
   * True for a report that counts no population. Besides its own parameters, it takes only `from` and `to`,
   * days in UTC.
   */
  readonly isOfAll?: boolean;
}

/** The parameters that every report on a population takes, besides `facts.NAME`. */
const COMMON_PARAMETERS = ["from", "to", "zone", "environment", "established", "country"] as const;
/** How every report's answer is written. These are read by the API. */
const FORMAT_PARAMETERS = ["format", "table"] as const;

/** Stands for all parameters that begin with `where.`: filters by the properties of an event. */
export const WHERE = "where.PROPERTY";

const ENVIRONMENTS = ["production", "development", "test", "ci", "all"] as const;

/**
 * Reads the parameters of a report: `from` and `to` (days) and, unless `isOfAll`, `zone`, `environment`,
 * `established`, `country` and `facts.NAME`. The last two may be given several times. `others`, `format` and `table`
 * are allowed, but not read.
 * @throws CandorError `query_invalid`; its message says what is expected
 */
export function readPeriod(parameters: URLSearchParams, options: PeriodOptions): Period {
  const { plan, nowMs } = options;
  const names = factsOf(plan);
  checkNames(parameters, names, options);
  const zone = readZone(parameters.get("zone") ?? "UTC");
  const to = readDay(parameters, "to") ?? dayOf(nowMs, zone);
  const from = readDay(parameters, "from") ?? addDays(to, 1 - DEFAULT_DAYS);
  const days = 1 + (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days < 1) throw invalidQuery(`from (${from}) is after to (${to}). Write the earlier day as from.`);
  if (days > MAX_DAYS)
    throw invalidQuery(`A report covers at most ${MAX_DAYS} days, these are ${days}. Ask for fewer.`);
  const environment = readOne(parameters, "environment", ENVIRONMENTS, "production");
  const established = readOne(parameters, "established", ["true", "false"], "true");
  const { segment, values } = readSegment(parameters, names);
  const common: QueryParams = {
    zone,
    isEveryEnvironment: environment === "all" ? "true" : "false",
    // An instance that does not report its environment counts as production, because nothing suggests
    // otherwise.
    environments: environment === "production" ? ["production", ""] : [environment],
    isEstablishedOnly: established,
    ...values,
  };
  const periodOf = (first: string, last: string): Period => ({
    from: first,
    to: last,
    zone,
    segment,
    params: { ...common, from: first, to: last },
    before: () => periodOf(addDays(first, -days), addDays(first, -1)),
  });
  return periodOf(from, to);
}

/** Returns the same population over other days; `before` stays the same. */
export function withDays(period: Period, from: string, to: string): Period {
  return { ...period, from, to, params: { ...period.params, from, to } };
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Reads a parameter that must be one of `values`. Returns `otherwise` if it is absent.
 * @throws CandorError `query_invalid`
 */
export function readOne<Value extends string>(
  parameters: URLSearchParams,
  name: string,
  values: readonly Value[],
  otherwise: Value,
): Value {
  const given = parameters.get(name) ?? otherwise;
  const found = values.find((value) => value === given);
  if (found === undefined) throw invalidQuery(`${name} is one of ${values.join(", ")}.`);
  return found;
}

/**
 * Reads a parameter that must be a whole number from `least` to `most`. Returns `otherwise` if it is absent.
 * @throws CandorError `query_invalid`
 */
export function readCount(
  parameters: URLSearchParams,
  name: string,
  { otherwise, least, most }: { readonly otherwise: number; readonly least: number; readonly most: number },
): number {
  const text = parameters.get(name) ?? String(otherwise);
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < least || count > most)
    throw invalidQuery(`${name} is a whole number from ${least} to ${most}.`);
  return count;
}

function checkNames(
  parameters: URLSearchParams,
  facts: readonly string[],
  { others = [], repeated = [], isOfAll = false }: PeriodOptions,
): void {
  const known = [...(isOfAll ? ["from", "to"] : COMMON_PARAMETERS), ...others, ...FORMAT_PARAMETERS];
  const several = ["country", ...repeated];
  for (const name of new Set(parameters.keys())) {
    if (name.startsWith("facts.") && !isOfAll) {
      if (facts.includes(name.slice("facts.".length))) continue;
      throw invalidQuery(
        facts.length === 0
          ? "The plan marks no facts. Mark fields of the heartbeat with `fact: true`."
          : `There is no such fact. The plan has ${facts.map((fact) => `facts.${fact}`).join(", ")}.`,
      );
    }
    const general = name.startsWith("where.") ? WHERE : name;
    if (!known.includes(general))
      throw invalidQuery(
        `This report takes ${known.join(", ")}${isOfAll ? "" : " and facts.NAME"}, and nothing else.`,
      );
    if (!several.includes(general) && parameters.getAll(name).length > 1)
      throw invalidQuery(`${name} is given twice.`);
  }
  if (parameters.size > MAX_FILTERS + known.length)
    throw invalidQuery(`More than ${MAX_FILTERS} filters. Use fewer.`);
}

function readSegment(
  parameters: URLSearchParams,
  names: readonly string[],
): { readonly segment: string; readonly values: QueryParams } {
  const conditions: string[] = [];
  const values: Record<string, string | readonly string[]> = {};
  for (const [index, name] of names.entries()) {
    const wanted = parameters.getAll(`facts.${name}`);
    if (wanted.length === 0) continue;
    conditions.push(`JSONExtractString(facts, {fact${index}:String}) IN {values${index}:Array(String)}`);
    values[`fact${index}`] = name;
    values[`values${index}`] = wanted.map((value) => (value === UNKNOWN ? "" : value));
  }
  const countries = parameters.getAll("country");
  if (countries.length > 0) {
    if (!countries.every((country) => country === UNKNOWN || /^[A-Z]{2}$/.test(country)))
      throw invalidQuery("country is a code of two capital letters (ISO 3166), or unknown.");
    conditions.push("country IN {countries:Array(String)}");
    values.countries = countries.map((country) => (country === UNKNOWN ? "" : country));
  }
  return { segment: conditions.length === 0 ? "true" : conditions.join(" AND "), values };
}

/**
 * Stands for a value that an instance or an install does not report; in filters, also for an unknown country.
 */
export const UNKNOWN = "unknown";

/** Returns a value as reports answer it. */
export function nameOf(value: unknown): string {
  return value === "" ? UNKNOWN : String(value);
}

function readDay(parameters: URLSearchParams, name: string): string | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && parseTime(`${text}T00:00:00Z`) !== undefined) return text;
  throw invalidQuery(`${name} is not a day. Write one such as 2026-01-31.`);
}

/**
 * Reads an IANA name. The pattern is needed because Intl also accepts offsets such as `+02:00`, which the
 * store does not.
 */
function readZone(name: string): string {
  try {
    if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name)) throw new RangeError(name);
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    throw invalidQuery(
      "zone is not a time zone. Write an IANA name such as Europe/Berlin or Asia/Kathmandu.",
    );
  }
}

function dayOf(atMs: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
  return parts.format(atMs);
}
