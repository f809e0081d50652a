/** Applies a plan's policy to an IP address. */
import type { IpPolicy } from "../plan.ts";
import { toCanonicalAddress, truncateAddress } from "./address.ts";

/**
 * Returns what the plan's policy keeps of an IP address; undefined if nothing. `country` also keeps nothing
 * here, because the collector looks up the country first. All spellings of an address have the same hash. A
 * text that is not an address is kept only by `keep`.
 * @param pseudonym computes a keyed hash
 */
export function applyAddressPolicy(
  address: string,
  policy: IpPolicy,
  pseudonym: (value: string) => string,
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
