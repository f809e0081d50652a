import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isAddress, toCanonicalAddress, truncateAddress } from "./address.ts";

const hexGroup = fc.integer({ min: 0, max: 0xffff }).map((group) => group.toString(16));
const nearlyIpv4 = fc
  .array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 })
  .map((b) => b.join("."));
/** Texts that are similar to an address, but mostly invalid. */
const nearlyIpv6 = fc
  .array(fc.oneof({ weight: 9, arbitrary: hexGroup }, fc.constantFrom("", "", "1.2.3.4", "12345", "g")), {
    minLength: 1,
    maxLength: 10,
  })
  .map((groups) => groups.join(":"));
const zoned = fc.tuple(fc.ipV6(), fc.stringMatching(/^[a-z0-9]{1,8}$/)).map(([ip, zone]) => `${ip}%${zone}`);
const anything = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  zoned,
  nearlyIpv4,
  nearlyIpv6,
  fc.stringMatching(/^[0-9a-f:.]{1,24}$/),
  fc.string(),
);

test("isAddress agrees with node:net", () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect([text, isAddress(text)]).toEqual([text, isIP(text) !== 0]);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  "",
  ":",
  "::1::",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  ":1:2:3:4:5:6:7:8",
  "::1.2.3",
  "1.2.3.4::",
  "1.2.3.4:80",
  "[::1]",
  "01.2.3.4",
  "1.2.3.4\n",
  "::1%",
  "12345::",
  "::1 ",
  "1.2.3.4%eth0",
])("%j is not an address", (text) => {
  expect(isAddress(text)).toBe(false);
  expect(toCanonicalAddress(text)).toBe(undefined);
  expect(truncateAddress(text)).toBe("");
});

test.each([
  // address, canonical, truncated
  ["111.65.255.130", "111.65.255.130", "111.65.255.0"],
  ["203.192.213.46", "203.192.213.46", "203.192.213.0"],
  ["0.0.0.0", "0.0.0.0", "0.0.0.0"],
  ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::"],
  ["2001:0DB8:85A3:0000:0000:8A2E:0370:7334", "2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::"],
  ["2001:db8::1", "2001:db8::1", "2001:db8::"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3", "1::"],
  ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4", "1::"],
  ["10:0:0:1:10:0:0:10", "10::1:10:0:0:10", "10::"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7", "1:0:2::"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", "1:2:3::"],
  ["0:0:1::", "0:0:1::", "0:0:1::"],
  ["fe80::1%eth0", "fe80::1", "fe80::"],
  ["::", "::", "::"],
  ["::1", "::1", "::"],
  ["::ffff:1.2.3.4", "1.2.3.4", "1.2.3.0"],
  ["::ffff:102:304", "1.2.3.4", "1.2.3.0"],
  ["0:0:0:0:0:FFFF:111.65.255.130%1", "111.65.255.130", "111.65.255.0"],
  ["::1.2.3.4", "1.2.3.4", "1.2.3.0"],
  ["::6f41:ff82", "111.65.255.130", "111.65.255.0"],
  ["2002:6f41:ff82:1::5", "2002:6f41:ff82:1::5", "2002:6f41:ff00::"],
  ["2002:6f41:0082::", "2002:6f41:82::", "2002:6f41::"],
  ["64:ff9b::111.65.255.130", "64:ff9b::6f41:ff82", "64:ff9b::"],
])("the canonical form of %s is %s, truncated %s", (address, canonical, truncated) => {
  expect(isAddress(address)).toBe(true);
  expect(toCanonicalAddress(address)).toBe(canonical);
  expect(truncateAddress(address)).toBe(truncated);
});

test("all spellings of an address have the canonical form of the URL standard", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0, 1, 0xab, 0x2002, 0xffff), { minLength: 8, maxLength: 8 }),
      (groups) => {
        const long = groups.map((group) => group.toString(16).toUpperCase().padStart(4, "0")).join(":");
        const byUrl = new URL(`http://[${long}]`).hostname.slice(1, -1);
        const canonical = toCanonicalAddress(long);
        if (groups.slice(0, 5).some((group) => group !== 0)) expect(canonical).toBe(byUrl);
        expect(toCanonicalAddress(byUrl)).toBe(canonical);
      },
    ),
    { numRuns: 1000 },
  );
});

test("a truncated address is an address, is stable, and does not depend on what was cut", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const truncated = truncateAddress(address);
      expect(isAddress(truncated)).toBe(true);
      expect(truncateAddress(truncated)).toBe(truncated);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.tuple(hexGroup, hexGroup, hexGroup),
      fc.array(hexGroup, { minLength: 5, maxLength: 5 }),
      (prefix, rest) => {
        fc.pre(prefix.some((group) => group !== "0"));
        expect(truncateAddress([...prefix, ...rest].join(":"))).toBe(
          truncateAddress(`${prefix.join(":")}::`),
        );
      },
    ),
  );
});

test.each(["@", ":", ".", "a", "1.", "a:", "0:"])("100 kB of %j are checked in linear time", (piece) => {
  const text = piece.repeat(100_000 / piece.length);
  expect(isAddress(text)).toBe(false);
  expect(isAddress(`::1%${text}`)).toBe(isIP(`::1%${text}`) !== 0);
  expect(truncateAddress(text)).toBe("");
});
