/**
 * Stores which instances the maker leaves out of reports: single ones, such as the maker's own, or all with
 * certain facts.
 */
import { isRecord } from "@candor/envelope/unknown-value";
import { factsOf, type Plan } from "@candor/plan";
import { invalidQuery } from "../errors.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";

const MAX_LENGTH = 200;
/** Limits the exclusions by facts, because every report compares each instance with all of them. */
const MAX_RULES = 50;

/**
 * Values by fact. An instance matches if it has all of them; "" stands for a fact that it does not report.
 */
export type FactValues = Readonly<Record<string, string>>;

export interface Exclusion {
  /** The id of the one instance, or the facts of all instances, that are excluded. */
  readonly who: { readonly instance: string } | { readonly facts: FactValues };
  /** The maker's reason, as free text. */
  readonly reason: string;
  /** False ends an exclusion. */
  readonly isExcluded: boolean;
}

/**
 * Reads the body of a request to exclude instances or to end their exclusion.
 * @throws CandorError `query_invalid`
 */
export function readExclusion(body: unknown, plan: Plan): Exclusion {
  const { instance, facts, reason = "", excluded = true } = isRecord(body) ? body : {};
  if ((instance === undefined) === (facts === undefined))
    throw invalidQuery('Write either "instance", an id, or "facts", such as {"edition": "internal"}.');
  if (typeof reason !== "string" || reason.length > MAX_LENGTH)
    throw invalidQuery(`reason is a text of at most ${MAX_LENGTH} characters.`);
  if (typeof excluded !== "boolean") throw invalidQuery("excluded is true or false.");
  const who = facts === undefined ? { instance: readId(instance) } : { facts: readFacts(facts, plan) };
  return { who, reason, isExcluded: excluded };
}

function readId(instance: unknown): string {
  if (typeof instance === "string" && instance !== "" && instance.length <= MAX_LENGTH) return instance;
  throw invalidQuery(`instance is the id of an instance, at most ${MAX_LENGTH} characters.`);
}

function readFacts(facts: unknown, plan: Plan): FactValues {
  const known = factsOf(plan);
  const entries = isRecord(facts) ? Object.entries(facts) : [];
  const isValue = (value: unknown): value is string =>
    typeof value === "string" && value.length <= MAX_LENGTH;
  if (entries.length === 0 || !entries.every(([name, value]) => known.includes(name) && isValue(value)))
    throw invalidQuery(
      known.length === 0
        ? "The plan marks no facts. Mark fields of the heartbeat with `fact: true`."
        : `facts is an object of the plan's facts (${known.join(", ")}) and their values, as texts.`,
    );
  return Object.fromEntries(entries.sort()) as FactValues;
}

/**
 * Excludes instances from reports, or ends their exclusion.
 * @throws CandorError `store_away`; `query_invalid` if there are too many exclusions by facts
 */
export async function exclude(
  store: Store,
  { who, reason, isExcluded }: Exclusion,
  nowMs: number,
): Promise<void> {
  await whileStoreAnswers(async () => {
    const row = { reason, isExcluded, atMs: nowMs };
    if ("facts" in who) {
      const facts = JSON.stringify(who.facts);
      if (isExcluded) await checkRules(store, facts);
      await store.insertRows("exclusions", [{ ...row, iid: 0, instance: "", facts }]);
    } else {
      const sql = "SELECT toString(sipHash64({instance:String})) AS iid";
      const [hash] = await store.query(sql, { instance: who.instance });
      await store.insertRows("exclusions", [{ ...row, iid: hash?.iid, instance: who.instance, facts: "" }]);
    }
  });
}

async function checkRules(store: Store, facts: string): Promise<void> {
  const rules = (await readExclusions(store)).filter((row) => row.facts !== "" && row.facts !== facts);
  if (rules.length >= MAX_RULES)
    throw invalidQuery(`At most ${MAX_RULES} exclusions by facts. End one with "excluded": false.`);
}

/** Returns what `GET /api/exclusions` answers: at most 10,000 exclusions. @throws CandorError `store_away` */
export async function listExclusions(store: Store): Promise<readonly object[]> {
  const rows = await whileStoreAnswers(() => readExclusions(store));
  return rows.map(({ instance, facts, why }) =>
    facts === "" ? { instance, reason: why } : { facts: JSON.parse(String(facts)), reason: why },
  );
}

function readExclusions(store: Store): Promise<Record<string, unknown>[]> {
  return store.query(
    "SELECT instance, facts, argMax(reason, atMs) AS why FROM exclusions GROUP BY iid, instance, facts HAVING argMax(isExcluded, atMs) ORDER BY facts, instance LIMIT 10000",
  );
}
