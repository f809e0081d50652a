import type { IpPolicy } from "@candor/plan";
import { toCanonicalAddress, truncateAddress } from "@candor/plan/runtime";
import type { Pseudonym } from "./pseudonym.ts";

/**
 * What the plan's policy leaves of an IP address; undefined: nothing. `country` leaves nothing here either, the country
 * is looked up before. All spellings of an address have one hash. A text that is no address is only kept by `keep`.
 */
export function applyAddressPolicy(
  address: string,
  policy: IpPolicy,
  pseudonym: Pseudonym,
): string | undefined {
  switch (policy) {
    case "drop":
    case "country":
      return undefined;
    case "truncate":
      return truncateAddress(address) || undefined;
    case "hash": {
      const canonical = toCanonicalAddress(address);
      return canonical === undefined ? undefined : pseudonym(canonical);
    }
    case "keep":
      return address;
  }
}
