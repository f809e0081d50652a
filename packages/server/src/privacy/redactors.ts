/** Redacts values as the plan's policies say. */
import { applyAddressPolicy, type Redactors } from "@candor/plan/runtime";
import type { Pseudonym } from "./pseudonym.ts";
import { toFamilies } from "./user-agent.ts";

/** Creates the functions with which the collector redacts values that the plan has a policy for. */
export function createRedactors(pseudonym: Pseudonym): Redactors {
  return {
    address: (address, policy) => applyAddressPolicy(address, policy, pseudonym),
    userAgent: (userAgent, policy) => {
      if (policy === "drop") return undefined;
      return policy === "keep" ? userAgent : toFamilies(userAgent);
    },
    pseudonym,
  };
}
