/** Lists the forms in which the store may hold an id. */
import { HASHED_MESSAGE_ID } from "@candor/envelope";
import { applyAddressPolicy, isAddress } from "@candor/plan/runtime";
import type { Pseudonym } from "./pseudonym.ts";

/** Returns the forms in which the store may hold an id or hash that a client sent; the sent form first. */
export type StoredForms = (id: string) => readonly string[];

/** An address's truncated form is not included: it stands for 256 machines. */
export function createStoredForms(pseudonym: Pseudonym): StoredForms {
  return (id) => {
    const hashed = pseudonym(id);
    const hashedAddress = isAddress(id) ? applyAddressPolicy(id, "hash", pseudonym) : undefined;
    const forms = [id, hashed, `${HASHED_MESSAGE_ID}${hashed}`];
    return hashedAddress === undefined ? forms : [...forms, hashedAddress];
  };
}
