/** Reads the contacts that people gave. */
import { isObject, type JsonObject } from "@candor/envelope";
import { CandorError, causeOf } from "../errors.ts";
import type { Store } from "../store/client.ts";

/**
 * A contact that a person gave: `{day: "2026-03-01", contact, ...}`, with the fields that the plan keeps
 * beside it.
 */
export type StoredContact = JsonObject & { readonly day: string; readonly contact: string };

/** Reads contacts, newest day first, in random order within a day. @throws CandorError `store_away` */
export async function readContacts(store: Store, limit: number): Promise<StoredContact[]> {
  const sql = "SELECT day, contact, about FROM contacts ORDER BY day DESC, shuffle LIMIT {limit:UInt32}";
  let rows: Record<string, unknown>[];
  try {
    rows = await store.query(sql, { limit });
  } catch (error) {
    throw new CandorError("store_away", { cause: causeOf(error) }, error);
  }
  return rows.map(({ day, contact, about }) => {
    const kept: unknown = JSON.parse(String(about));
    return { ...(isObject(kept) ? kept : {}), day: String(day), contact: String(contact) };
  });
}
