import { applyAddressPolicy, type Reducers } from "@candor/plan/runtime";
import type { Instance } from "../state/instance.ts";

/** As long as the collector's own; a plan's `hash: true` takes 32 to 64 characters. */
const PSEUDONYM_LENGTH = 32;

/** What the SDK does, before anything is written, with values about which the plan has a policy. */
export function createReducers({ keyedHash }: Pick<Instance, "keyedHash">): Reducers {
  const pseudonym = (id: string): string => keyedHash(id).slice(0, PSEUDONYM_LENGTH);
  return {
    address: (address, policy) => applyAddressPolicy(address, policy, pseudonym),
    // Families are made by the collector: the lists that this takes are too large for an SDK.
    userAgent: (userAgent, policy) => (policy === "drop" ? undefined : userAgent),
    pseudonym,
    keyedHash,
  };
}
