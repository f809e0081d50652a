/** Cuts addresses out of values that the plan does not allow but that are kept (mode `observe`). */
import type { JsonObject, JsonValue } from "@candor/envelope";
import type { IpPolicy } from "../plan.ts";
import { isAddress } from "./address.ts";
import type { Redactors } from "./place.ts";
import { scrub } from "./scrub.ts";

/**
 * Removes addresses from a value and from the names in it. A text that is an IP address is redacted by the
 * source's policy, and becomes `[ip]` if the policy keeps nothing.
 */
export function scrubValue(value: JsonValue, rules: ScrubRules): JsonValue {
  if (typeof value === "string") {
    if (isAddress(value)) return rules.redactors.address(value, rules.ip) ?? "[ip]";
    return scrub(value)?.text ?? value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, rules));
  const scrubbed: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) keepScrubbed(scrubbed, name, inner, rules);
  return scrubbed;
}

/**
 * Keeps an undeclared field, with addresses removed from its name and value. Uses defineProperty, because a
 * client may name a field `__proto__`.
 */
export function keepScrubbed(target: JsonObject, name: string, inner: JsonValue, rules: ScrubRules): void {
  const value = scrubValue(inner, rules);
  const key = scrub(name)?.text ?? name;
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

interface ScrubRules {
  readonly ip: IpPolicy;
  readonly redactors: Pick<Redactors, "address">;
}
