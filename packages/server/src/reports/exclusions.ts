/** Stores which instances the maker leaves out of reports, such as the maker's own machines. */

import { isRecord } from "@candor/envelope/unknown-value";
import { invalidQuery } from "../errors.ts";
import { type Store, whileStoreAnswers } from "../store/client.ts";

const MAX_LENGTH = 200;

export interface Exclusion {
  readonly instance: string;
  /** The maker's reason, as free text. */
  readonly reason: string;
  /** False ends an exclusion. */
  readonly isExcluded: boolean;
}

/**
 * Reads the body of a request to exclude an instance or to end its exclusion.
 * @throws CandorError `query_invalid`
 */
export function readExclusion(body: unknown): Exclusion {
  const { instance, reason = "", excluded = true } = isRecord(body) ? body : {};
  if (typeof instance !== "string" || instance === "" || instance.length > MAX_LENGTH)
    throw invalidQuery(`instance is the id of an instance, at most ${MAX_LENGTH} characters.`);
  if (typeof reason !== "string" || reason.length > MAX_LENGTH)
    throw invalidQuery(`reason is a text of at most ${MAX_LENGTH} characters.`);
  if (typeof excluded !== "boolean") throw invalidQuery("excluded is true or false.");
  return { instance, reason, isExcluded: excluded };
}

/**
 * Excludes an instance from reports, or ends its exclusion.
 * @throws CandorError `store_away`
 */
export async function excludeInstance(
  store: Store,
  { instance, reason, isExcluded }: Exclusion,
  nowMs: number,
): Promise<void> {
  await whileStoreAnswers(async () => {
    const [hash] = await store.query("SELECT toString(sipHash64({instance:String})) AS iid", { instance });
    const row = { iid: hash?.iid, instance, reason, isExcluded, atMs: nowMs };
    await store.insertRows("exclusions", [row]);
  });
}

/**
 * Returns the excluded instances, at most 10,000, sorted by id.
 * @throws CandorError `store_away`
 */
export async function listExclusions(store: Store): Promise<{ instance: string; reason: string }[]> {
  const rows = await whileStoreAnswers(() =>
    store.query(
      "SELECT instance, argMax(reason, atMs) AS why FROM exclusions GROUP BY iid, instance HAVING argMax(isExcluded, atMs) ORDER BY instance LIMIT 10000",
    ),
  );
  return rows.map(({ instance, why }) => ({ instance: String(instance), reason: String(why) }));
}
