import type { JsonObject, JsonValue } from "@candor/envelope";
import type { IpPolicy } from "../plan.ts";
import { isAddress } from "./address.ts";
import type { Reducers } from "./check-value.ts";
import { scrub } from "./scrub.ts";

/** Where undeclared values are kept at all (mode `observe`): their addresses are not. */
export function scrubValue(
  value: JsonValue,
  rules: { readonly ip: IpPolicy; readonly reducers: Pick<Reducers, "address"> },
): JsonValue {
  if (typeof value === "string") {
    if (isAddress(value)) return rules.reducers.address(value, rules.ip) ?? "[ip]";
    return scrub(value)?.text ?? value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, rules));
  const scrubbed: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const key = scrub(name)?.text ?? name;
    const kept = scrubValue(inner, rules);
    Object.defineProperty(scrubbed, key, {
      value: kept,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return scrubbed;
}
