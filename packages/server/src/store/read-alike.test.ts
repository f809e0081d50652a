import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readSegment } from "../log/segment.ts";
import { answerOf, NO_STORE, startForTest } from "../rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { EVENT_TARGET } from "../row.ts";
import type { Store } from "./client.ts";

const SEED = 20261126;
const BATCHES = 20;
const BATCH = 50;

let real: TestStore;
let store: Store;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
});
afterAll(() => real.close());

/** Parts of JSON strings as a client may write them, including forms that JSON.stringify never produces. */
const escapes = [
  "\\ud83d",
  "\\uDE00",
  "\\ud83d\\ude00",
  "\\u0000",
  "\\u001f",
  "\\n",
  '\\"',
  "\\\\",
  "\\/",
  "\\u2028",
];
const characters = ["a", "0", ".", "é", "😀", "\u2028", "\ufffe", "\u007f", "&", "-", " "];
const string = fc
  .array(fc.constantFrom(...escapes, ...characters), { maxLength: 8 })
  .map((parts) => `"${parts.join("")}"`);
const numbers = [
  "0",
  "-0",
  "1.0",
  "1E5",
  "0.1",
  "1e-400",
  "5e-324",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
  "18446744073709551616",
  "100000000000000000000",
  "1e20",
  "1e21",
  "1.7976931348623157e308",
  "1e309",
  "123456789.123456789123456789",
] as const;
const number = fc.oneof(
  fc.constantFrom(...numbers),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
);
/**
 * Strings without an escaped backslash, for keys. V8 in Node 24 and 26 confuses an escaped key with a key
 * containing a backslash that it has seen before.
 */
const withoutBackslash = string.map((text) => text.replaceAll("\\\\", "/"));
const name = fc.oneof(
  withoutBackslash,
  fc.constantFrom('"__proto__"', '""', '"0"', '"a.b"', '"a"', '"\\u0061"'),
);
const { object, value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "json" },
    string,
    number,
    fc.constantFrom("true", "false", "null"),
    fc.array(tie("value"), { maxLength: 3, depthIdentifier: "json" }).map((items) => `[${items.join(",")}]`),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 4, depthIdentifier: "json" })
    .map((entries) => `{${entries.map(([key, inner]) => `${key}:${inner}`).join(",")}}`),
}));
const id = fc.oneof(string, number, fc.constantFrom("null", '"u"'));
/** A page message with arbitrary JSON in one or more of these fields. */
const message = fc
  .record({
    properties: object,
    traits: object,
    context: object,
    integrations: object,
    userId: id,
    name: value,
  })
  .chain((fields) => fc.subarray(Object.entries(fields), { minLength: 1 }))
  .map((fields) => fields.map(([field, text]) => `"${field}":${text}`).join(","))
  .map((fields) => `{"type":"page","anonymousId":"a",${fields}}`);

/**
 * Sends the batches to a collector and returns the rows that it keeps, in the form in which the store
 * receives them.
 */
async function rowsOf(batches: readonly string[]): Promise<{ lines: Buffer[]; accepted: number }> {
  const dataDir = join(real.dir, "collector");
  const candor = await startForTest({ ...NO_STORE, CANDOR_DATA_DIR: dataDir });
  let accepted = 0;
  for (const batch of batches) {
    const answer = await answerOf(await candor.post("/v1/batch", batch));
    expect(answer.success).toBe(true);
    accepted += answer.accepted ?? 0;
  }
  await candor.close();
  const logDir = join(dataDir, "log");
  const lines = readdirSync(logDir)
    .filter((file) => file.endsWith(".log"))
    .map((file) => join(logDir, file))
    .map((path) => readSegment({ path, bytes: statSync(path).size }).lines);
  return { lines, accepted };
}

it("JavaScript and the store read the same from whatever is kept, whatever was sent in any place", async () => {
  const messages = fc.sample(message, { numRuns: BATCHES * BATCH, seed: SEED });
  const batches = Array.from(
    { length: BATCHES },
    (_, n) => `{"batch":[${messages.slice(n * BATCH, (n + 1) * BATCH).join(",")}]}`,
  );
  const { lines, accepted } = await rowsOf(batches);
  expect(accepted).toBeGreaterThan((BATCHES * BATCH) / 4);
  await store.insertLines(EVENT_TARGET, Buffer.concat(lines), "read-alike");
  const parts = ["properties", "traits", "context", "integrations"];
  const rows = await store.query(
    `SELECT envelope, userId, isValidJSON(envelope) AS isValid, JSONExtractString(envelope, 'userId') AS idInside,
${parts.map((part) => `JSONExtractRaw(envelope, '${part}') AS ${part}`).join(", ")} FROM events`,
  );
  expect(rows).toHaveLength(accepted);
  for (const row of rows) {
    const read: Record<string, unknown> = JSON.parse(String(row.envelope));
    expect(row).toMatchObject({ isValid: 1, userId: read.userId ?? "", idInside: read.userId ?? "" });
    for (const part of parts) {
      const raw = String(row[part]);
      expect([part, raw === "" ? undefined : JSON.parse(raw)]).toEqual([part, read[part]]);
    }
  }
});
