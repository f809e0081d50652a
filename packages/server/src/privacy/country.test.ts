import { expect, test } from "vitest";
import { openCountries } from "./country.ts";

const countries = openCountries();

test.each([
  // The first three are the addresses in the sample events of the reference product.
  ["111.65.255.130", "VN"],
  ["203.192.213.46", "IN"],
  ["49.207.192.209", "IN"],
  ["8.8.8.8", "US"],
  ["::ffff:8.8.8.8", "US"],
  ["::ffff:808:808", "US"],
  ["::8.8.8.8", "US"],
  ["2a00:1450:4001:81b::200e", "DE"],
  ["2A00:1450:4001:081B::200E%eth0", "DE"],
  ["10.0.0.1", undefined],
  ["192.168.1.1", undefined],
  ["172.16.0.1", undefined],
  ["100.64.0.1", undefined],
  ["169.254.1.1", undefined],
  ["127.0.0.1", undefined],
  ["0.0.0.0", undefined],
  ["255.255.255.255", undefined],
  ["::ffff:10.0.0.1", undefined],
  ["::1", undefined],
  ["::", undefined],
  ["fe80::1%eth0", undefined],
  ["fd00::1", undefined],
  ["2001:db8::1", undefined],
  ["", undefined],
  ["8.8.8", undefined],
  ["example.com", undefined],
])("the country of %j is %s", (address, country) => {
  expect(countries.countryOf(address)).toBe(country);
  expect(countries.countryOf(address)).toBe(country);
});
