import type { IpPolicy } from "../plan.ts";
import { toCanonicalAddress, truncateAddress } from "./address.ts";

/**
 * What the plan's policy leaves of an IP address; undefined: nothing. `country` leaves nothing here either: the collector
 * looks the country up before. All spellings of an address have one hash. A text that is no address is only kept by
 * `keep`.
 * @param pseudonym a keyed hash
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
