import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ConsentRecord,
  latestConsentRecord,
  readConsentRecords,
  writeConsentRecord,
} from "./receipts.ts";

const receipt: ConsentRecord = {
  source: "client",
  answer: "yes",
  time: "2026-11-23T12:00:00.000Z",
  planVersion: 1,
  planHash: "3f1c9d0e6b7a48525d14c0a9e2f8b63d7705ae1942cc86fb0d39e57a1b28f4c6",
  by: "installer",
};

const anyReceipt: fc.Arbitrary<ConsentRecord> = fc.record({
  source: fc.constantFrom("installer", "server", "client"),
  answer: fc.constantFrom("yes", "no", "notice"),
  time: fc
    .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  planVersion: fc.integer({ min: 1, max: 1_000_000 }),
  planHash: fc.stringMatching(/^[0-9a-f]{64}$/),
  by: fc.constantFrom("installer", "inspector", "environment", "product"),
});

test("a consent record is written as docs/state-folder.md specifies, whatever the order of its keys", () => {
  const { by, planHash, ...others } = receipt;
  expect(writeConsentRecord({ by, planHash, ...others })).toBe(
    '{"source":"client","answer":"yes","time":"2026-11-23T12:00:00.000Z","planVersion":1,' +
      '"planHash":"3f1c9d0e6b7a48525d14c0a9e2f8b63d7705ae1942cc86fb0d39e57a1b28f4c6","by":"installer"}\n',
  );
});

test("only the keys of a consent record are written, whatever else the object contains", () => {
  const more = { ...receipt, email: "bob@example.com" };
  expect(writeConsentRecord(more)).toBe(writeConsentRecord(receipt));
});

test("what was written is read back", () => {
  fc.assert(
    fc.property(fc.array(anyReceipt), (receipts) => {
      expect(readConsentRecords(receipts.map(writeConsentRecord).join(""))).toEqual(receipts);
    }),
  );
});

test("a file that was cut anywhere but at the end of a line is malformed", () => {
  fc.assert(
    fc.property(fc.array(anyReceipt, { minLength: 1, maxLength: 4 }), fc.nat(), (receipts, seed) => {
      const text = receipts.map(writeConsentRecord).join("");
      const cut = text.slice(0, seed % text.length);
      const whole = cut === "" || cut.endsWith("\n");
      expect(readConsentRecords(cut) !== undefined).toBe(whole);
    }),
  );
});

test("a line with one changed character is malformed, or is read exactly as written", () => {
  const line = writeConsentRecord(receipt);
  fc.assert(
    fc.property(fc.nat(line.length - 1), fc.string({ maxLength: 2 }), (at, put) => {
      const changed = line.slice(0, at) + put + line.slice(at + 1);
      const receipts = readConsentRecords(changed);
      // If the changed line is still a consent record, perhaps with another digit, it was read exactly as
      // written.
      expect(receipts?.map(writeConsentRecord).join("") ?? changed).toBe(changed);
    }),
    { numRuns: 3000 },
  );
});

test("the keys must be in the one order that a script can read", () => {
  const { by, planHash, ...others } = receipt;
  expect(readConsentRecords(`${JSON.stringify({ by, ...others, planHash })}\n`)).toBeUndefined();
});

test.each([
  ["an inherited name for a key", `{"__proto__":{},${writeConsentRecord(receipt).slice(1)}`],
  ["a list that holds an answer", `[${writeConsentRecord(receipt).trimEnd()}]\n`],
  ["two answers on a line", writeConsentRecord(receipt).trimEnd() + writeConsentRecord(receipt)],
  ["one key instead of another", writeConsentRecord(receipt).replace('"by"', '"from"')],
  ["100,000 opening brackets", `${"[".repeat(100_000)}\n`],
  ["a line with a NUL character", writeConsentRecord(receipt).replace("yes", "yes\0")],
  ["a byte order mark", `\uFEFF${writeConsentRecord(receipt)}`],
])("%s is malformed", (_, text) => {
  expect(readConsentRecords(text)).toBe(undefined);
});

test("the last answer of a source is in force, whatever its time", () => {
  const first: ConsentRecord = { ...receipt, time: "2030-01-01T00:00:00Z" };
  const second: ConsentRecord = { ...receipt, answer: "no", time: "2020-01-01T00:00:00Z" };
  const other: ConsentRecord = { ...receipt, source: "server", answer: "notice" };
  const receipts = [first, second, other];
  expect(latestConsentRecord(receipts, "client")).toBe(second);
  expect(latestConsentRecord(receipts, "server")).toBe(other);
  expect(latestConsentRecord(receipts, "installer")).toBe(undefined);
});
