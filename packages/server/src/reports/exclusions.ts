/**
 * Stores which instances the maker leaves out of reports: single ones, such as the maker's own, all with certain
 * facts, or all that send from a network.
 */
import { isRecord } from "@candor/envelope/unknown-value";
import { factsOf, type Plan } from "@candor/plan";
import { truncateAddress } from "@candor/plan/runtime";
import { invalidQuery } from "../errors.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";

const MAX_LENGTH = 200;
/** Limits the exclusions by facts, because every report compares each instance with all of them. */
const MAX_RULES = 50;
const MAX_NETWORKS = 50;

/**
 * Values by fact. An instance matches if it has all of them; "" stands for a fact that it does not report.
 */
export type FactValues = Readonly<Record<string, string>>;

export interface Exclusion {
  /**
   * The id of the one instance, the facts of all instances, or the network of all instances that are excluded. A
   * network is a /24 (IPv4) or a /48 (IPv6), written as its first address.
   */
  readonly who: { readonly instance: string } | { readonly facts: FactValues } | { readonly network: string };
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
  const { instance, facts, network, reason = "", excluded = true } = isRecord(body) ? body : {};
  if ([instance, facts, network].filter((given) => given !== undefined).length !== 1)
    throw invalidQuery(
      'Write one of "instance", an id, "facts", such as {"edition": "internal"}, and "network", such as "203.0.113.0/24".',
    );
  if (typeof reason !== "string" || reason.length > MAX_LENGTH)
    throw invalidQuery(`reason is a text of at most ${MAX_LENGTH} characters.`);
  if (typeof excluded !== "boolean") throw invalidQuery("excluded is true or false.");
  return { who: readWho({ instance, facts, network }, plan), reason, isExcluded: excluded };
}

function readWho(
  { instance, facts, network }: Readonly<Record<"instance" | "facts" | "network", unknown>>,
  plan: Plan,
): Exclusion["who"] {
  if (network !== undefined) return { network: readNetwork(network) };
  return facts === undefined ? { instance: readId(instance) } : { facts: readFacts(facts, plan) };
}

function readNetwork(network: unknown): string {
  const [, address = "", bits] = /^([\da-fA-F.:]{2,45})\/(24|48)$/.exec(String(network)) ?? [];
  const first = truncateAddress(address);
  if (first !== "" && bits === (first.includes(":") ? "48" : "24")) return first;
  throw invalidQuery(
    "network is a /24 of IPv4, such as 203.0.113.0/24, or a /48 of IPv6, such as 2001:db8:1::/48.",
  );
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

/** Returns the keyed hash of a network, under which it is kept. */
export function hashNetwork(network: string, pseudonym: (value: string) => string): string {
  return pseudonym(`network ${network}`);
}

/**
 * Excludes instances from reports, or ends their exclusion.
 * @param pseudonym the keyed hash under which a network is kept
 * @throws CandorError `store_away`; `query_invalid` if there are too many exclusions by facts or networks
 */
export async function exclude(
  store: Store,
  { who, reason, isExcluded }: Exclusion,
  nowMs: number,
  pseudonym: (value: string) => string,
): Promise<void> {
  await whileStoreAnswers(async () => {
    const row = { iid: "0", instance: "", facts: "", network: "", reason, isExcluded, atMs: nowMs };
    const add = (who: Partial<typeof row>): Promise<void> =>
      store.insertRows("exclusions", [{ ...row, ...who }]);
    if ("facts" in who) {
      const facts = JSON.stringify(who.facts);
      if (isExcluded) await checkRoom(store, "facts", facts, MAX_RULES);
      await add({ facts });
    } else if ("network" in who) {
      const network = hashNetwork(who.network, pseudonym);
      if (isExcluded) await checkRoom(store, "network", network, MAX_NETWORKS);
      await add({ network });
    } else {
      const sql = "SELECT toString(sipHash64({instance:String})) AS iid";
      const [hash] = await store.query(sql, { instance: who.instance });
      await add({ iid: String(hash?.iid), instance: who.instance });
    }
  });
}

async function checkRoom(store: Store, by: "facts" | "network", own: string, most: number): Promise<void> {
  const others = (await readExclusions(store)).filter((row) => row[by] !== "" && row[by] !== own);
  if (others.length >= most)
    throw invalidQuery(
      `At most ${most} exclusions by ${by === "facts" ? "facts" : "networks"}. End one with "excluded": false.`,
    );
}

/** Returns what `GET /api/exclusions` answers: at most 10,000 exclusions. @throws CandorError `store_away` */
export async function listExclusions(store: Store): Promise<readonly object[]> {
  const rows = await whileStoreAnswers(() => readExclusions(store));
  return rows.map(({ instance, facts, network, why }) => {
    if (network !== "") return { network: "kept as a hash", reason: why };
    return facts === "" ? { instance, reason: why } : { facts: JSON.parse(String(facts)), reason: why };
  });
}

/** Reads the exclusions in force: at most 10,000. */
export function readExclusions(store: Store): Promise<Record<string, unknown>[]> {
  return store.query(
    "SELECT instance, facts, network, argMax(reason, atMs) AS why FROM exclusions GROUP BY iid, instance, facts, network HAVING argMax(isExcluded, atMs) ORDER BY network, facts, instance LIMIT 10000",
  );
}
