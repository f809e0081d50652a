import { CandorError } from "../errors.ts";
import { readSql, type Store } from "../store/client.ts";
import { whileStoreAnswers } from "../store/store-away.ts";

const SQL = readSql("query/instance_key.sql");

/**
 * Keeps an instance's key if it is its first. Of two that come at once, the one that `findKey` finds from then on is told
 * so; the other is refused.
 * @throws CandorError `instance_key_differs`, `store_away`
 */
export async function registerKey(
  store: Store,
  instanceId: string,
  publicKey: string,
  nowMs: number,
): Promise<void> {
  if ((await findKey(store, instanceId)) === undefined) {
    const registeredAt = new Date(nowMs).toISOString().replace("T", " ").replace("Z", "");
    await whileStoreAnswers(() =>
      store.insertRows("instance_keys", [{ instanceId, publicKey, registeredAt }]),
    );
  }
  if ((await findKey(store, instanceId)) !== publicKey) throw new CandorError("instance_key_differs");
}

/** The key that an instance registered first; undefined: none. @throws CandorError `store_away` */
export async function findKey(store: Store, instanceId: string): Promise<string | undefined> {
  const [row] = await whileStoreAnswers(() => store.query(SQL, { instanceId }));
  return row === undefined ? undefined : String(row.publicKey);
}
