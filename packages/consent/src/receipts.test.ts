import fc from "fast-check";
import { expect, test } from "vitest";
import { latestReceipt, type Receipt, readReceipts, writeReceipt } from "./receipts.ts";

const receipt: Receipt = {
  source: "client",
  answer: "yes",
  time: "2026-11-23T12:00:00.000Z",
  planVersion: 1,
  planHash: "3f1c9d0e6b7a48525d14c0a9e2f8b63d7705ae1942cc86fb0d39e57a1b28f4c6",
  by: "installer",
};

const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  source: fc.constantFrom("installer", "server", "client"),
  answer: fc.constantFrom("yes", "no", "notice"),
  time: fc
    .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  planVersion: fc.integer({ min: 1, max: 1_000_000 }),
  planHash: fc.stringMatching(/^[0-9a-f]{64}$/),
  by: fc.constantFrom("installer", "inspector", "environment", "product"),
});

test("a receipt is written as docs/state-folder.md has it, in whatever order its keys were given", () => {
  const { by, planHash, ...others } = receipt;
  expect(writeReceipt({ by, planHash, ...others })).toBe(
    '{"source":"client","answer":"yes","time":"2026-11-23T12:00:00.000Z","planVersion":1,' +
      '"planHash":"3f1c9d0e6b7a48525d14c0a9e2f8b63d7705ae1942cc86fb0d39e57a1b28f4c6","by":"installer"}\n',
  );
});

test("only the keys of a receipt are written, whatever else the object holds", () => {
  const more = { ...receipt, email: "bob@example.com" };
  expect(writeReceipt(more)).toBe(writeReceipt(receipt));
});

test("what was written is read back", () => {
  fc.assert(
    fc.property(fc.array(anyReceipt), (receipts) => {
      expect(readReceipts(receipts.map(writeReceipt).join(""))).toEqual(receipts);
    }),
  );
});

test("a file that was cut anywhere but at the end of a line is malformed", () => {
  fc.assert(
    fc.property(fc.array(anyReceipt, { minLength: 1, maxLength: 4 }), fc.nat(), (receipts, seed) => {
      const text = receipts.map(writeReceipt).join("");
      const cut = text.slice(0, seed % text.length);
      const whole = cut === "" || cut.endsWith("\n");
      expect(readReceipts(cut) !== undefined).toBe(whole);
    }),
  );
});

test("a line with any one character changed is never read as another form", () => {
  const line = writeReceipt(receipt);
  fc.assert(
    fc.property(fc.nat(line.length - 1), fc.string({ maxLength: 2 }), (at, put) => {
      const changed = line.slice(0, at) + put + line.slice(at + 1);
      const receipts = readReceipts(changed);
      // Still a receipt, of another digit perhaps: then it says exactly what stands there.
      expect(receipts?.map(writeReceipt).join("") ?? changed).toBe(changed);
    }),
    { numRuns: 3000 },
  );
});

test("keys stand in one order, the one that a script can read", () => {
  const { by, planHash, ...others } = receipt;
  expect(readReceipts(`${JSON.stringify({ by, ...others, planHash })}\n`)).toBeUndefined();
});

test.each([
  ["an inherited name for a key", `{"__proto__":{},${writeReceipt(receipt).slice(1)}`],
  ["a list that holds an answer", `[${writeReceipt(receipt).trimEnd()}]\n`],
  ["two answers on a line", writeReceipt(receipt).trimEnd() + writeReceipt(receipt)],
  ["a key for another", writeReceipt(receipt).replace('"by"', '"from"')],
  ["brackets without end", `${"[".repeat(100_000)}\n`],
  ["a NUL in it", writeReceipt(receipt).replace("yes", "yes\0")],
  ["a byte order mark", `\uFEFF${writeReceipt(receipt)}`],
])("%s is malformed", (_, text) => {
  expect(readReceipts(text)).toBe(undefined);
});

test("the last answer of a source holds, whatever its time", () => {
  const first: Receipt = { ...receipt, time: "2030-01-01T00:00:00Z" };
  const second: Receipt = { ...receipt, answer: "no", time: "2020-01-01T00:00:00Z" };
  const other: Receipt = { ...receipt, source: "server", answer: "notice" };
  const receipts = [first, second, other];
  expect(latestReceipt(receipts, "client")).toBe(second);
  expect(latestReceipt(receipts, "server")).toBe(other);
  expect(latestReceipt(receipts, "installer")).toBe(undefined);
});
