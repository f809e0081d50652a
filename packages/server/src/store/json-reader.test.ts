import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import type { Store } from "./client.ts";

// Tests how the store's JSON functions read a text. Filters, columns and deletions rely on these functions,
// which are a second JSON reader beside JavaScript's. So an envelope must not be written in a form that the
// two read differently (packages/envelope).

let real: TestStore;
let store: Store;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
});
afterAll(() => real.close());

/** Wraps a value in a document. The document's other keys show whether it was read at all. */
const documentOf = (value: string): string => `{"id":"x","properties":{"value":${value},"id":"y"}}`;

interface Reading {
  readonly isRead: boolean;
  readonly type: string;
  readonly text: string;
  readonly raw: string;
  readonly integer: string | null;
  readonly double: string | null;
  readonly flag: string | null;
}

async function readByStore(json: string): Promise<Reading> {
  const at = "json, 'properties', 'value'";
  const [row] = await store.query(
    `WITH unhex({hex:String}) AS json
SELECT isValidJSON(json) AND JSONExtractString(json, 'id') = 'x' AS isRead, JSONType(${at}) AS type,
  JSONExtractString(${at}) AS text, JSONExtractRaw(${at}) AS raw,
  toString(JSONExtract(${at}, 'Nullable(Int64)')) AS integer,
  toString(JSONExtract(${at}, 'Nullable(Float64)')) AS double,
  toString(JSONExtract(${at}, 'Nullable(Bool)')) AS flag`,
    { hex: Buffer.from(json).toString("hex") },
  );
  return { ...(row as unknown as Reading), isRead: Number(row?.isRead) === 1 };
}

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

describe("the store's reader of JSON", () => {
  it.each([
    ["a text cut inside an emoji", documentOf('"Support \\ud83d"')],
    ["a lone low surrogate", documentOf('"\\ude00"')],
    ["a high surrogate before another character", documentOf('"\\ud83dA"')],
    ["surrogates in the wrong order", documentOf('"\\ude00\\ud83d"')],
    ["a lone surrogate in a key", '{"id":"x","properties":{"value":1,"\\ud83d":2}}'],
    ["an integer above 64 bits", documentOf("18446744073709551616")],
    ["an integer below 64 bits", documentOf("-9223372036854775809")],
    ["what JSON.stringify makes of 2^64", documentOf(JSON.stringify(2 ** 64))],
    ["what JSON.stringify makes of -2^63", documentOf(JSON.stringify(-(2 ** 63)))],
    ["what JSON.stringify makes of 1e20", documentOf(JSON.stringify(1e20))],
    ["a number beyond a double", documentOf("1e309")],
    ["more than 1,024 levels", documentOf(nested(1023))],
  ])("rejects the whole document for %s, which JavaScript reads", async (_, json) => {
    expect(() => JSON.parse(json)).not.toThrow();
    const { isRead, type, text } = await readByStore(json);
    expect({ isRead, type, text }).toEqual({ isRead: false, type: "Null", text: "" });
  });

  it("accepts a byte order mark, which JavaScript rejects", async () => {
    const json = `\ufeff${documentOf("1")}`;
    expect(() => JSON.parse(json)).toThrow(SyntaxError);
    expect(await readByStore(json)).toMatchObject({ isRead: true, text: "1" });
  });

  it.each(["01", "+1", "1.", ".5", "NaN", '"a\u0001b"', '"\\x41"', "1,"])(
    "rejects %j, as JavaScript does",
    async (value) => {
      expect(() => JSON.parse(documentOf(value))).toThrow(SyntaxError);
      expect(await readByStore(documentOf(value))).toMatchObject({ isRead: false });
    },
  );

  it.each([
    ["emoji", '"😀"', "😀"],
    ["an escaped pair of surrogates", '"\\ud83d\\ude00"', "😀"],
    ["control characters", '"a\\u0000b\\u001f"', "a\u0000b\u001f"],
    ["noncharacters", '"\ufffe\uffff\ufffd\u007f\u2028"', "\ufffe\uffff\ufffd\u007f\u2028"],
    ["an escaped slash", '"a\\/b"', "a/b"],
    ["32 KiB", JSON.stringify("x".repeat(32_768)), "x".repeat(32_768)],
  ])("reads %s in a text as JavaScript does", async (_, value, expected) => {
    expect(JSON.parse(value)).toBe(expected);
    expect(await readByStore(documentOf(value))).toMatchObject({
      isRead: true,
      type: "String",
      text: expected,
    });
  });

  it("reads 1,022 arrays nested in two objects: 1,024 levels", async () => {
    expect(await readByStore(documentOf(nested(1022)))).toMatchObject({ isRead: true, type: "Array" });
  });

  it.each([
    // the raw value, its type, its text, and its value in a column of type integer, number and boolean
    ["8", "Int64", "8", "8", "8", "true"],
    ["9007199254740993", "Int64", "9007199254740993", "9007199254740993", "9007199254740992", null],
    [
      "9223372036854775807",
      "Int64",
      "9223372036854775807",
      "9223372036854775807",
      "9223372036854776000",
      null,
    ],
    ["18446744073709551615", "UInt64", "18446744073709551615", null, "18446744073709552000", null],
    ["1e20", "Double", "100000000000000000000", null, "100000000000000000000", null],
    ["1e+21", "Double", "1e21", null, "1e21", null],
    ["-1e20", "Double", "-100000000000000000000", null, "-100000000000000000000", null],
    ["1.0", "Double", "1", "1", "1", "true"],
    ["1.5", "Double", "1.5", "1", "1.5", "true"],
    ["0.1", "Double", "0.1", "0", "0.1", "false"],
    ["-0.0", "Double", "-0", "0", "-0", "false"],
    ["1e-400", "Double", "0", "0", "0", "false"],
    ["true", "Bool", "true", "1", "1", "true"],
    ["null", "Null", "", null, null, null],
    ['"8.5"', "String", "8.5", "8", "8.5", "true"],
    ['"true"', "String", "true", null, null, null],
    ["[1]", "Array", "[1]", null, null, null],
    ['{"a":1}', "Object", '{"a":1}', null, null, null],
  ])("reads %s as each type", async (value, type, text, integer, double, flag) => {
    const { isRead, raw: _, ...reading } = await readByStore(documentOf(value));
    expect(isRead).toBe(true);
    expect(reading).toEqual({ type, text, integer, double, flag });
  });

  it("writes a number as JSON.stringify does, except for the plus sign of an exponent", async () => {
    for (const number of [
      1e21,
      1.5e-7,
      5e-324,
      Number.MAX_VALUE,
      0.1 + 0.2,
      123456789.12345678,
      2 ** 53 + 2,
    ]) {
      const spelled = JSON.stringify(number);
      expect((await readByStore(documentOf(spelled))).raw).toBe(spelled.replace("e+", "e"));
    }
  });

  it("escapes raw values differently from the input, so texts must be compared unescaped", async () => {
    expect((await readByStore(documentOf('"\\u001f"'))).raw).toBe('"\\u001F"');
    expect((await readByStore(documentOf('"\u2028"'))).raw).toBe('"\\u2028"');
  });

  it("keeps the first of two equal keys, whereas JavaScript keeps the last", async () => {
    const json = '{"id":"x","properties":{"value":1,"value":2}}';
    expect(JSON.parse(json).properties.value).toBe(2);
    expect(await readByStore(json)).toMatchObject({ isRead: true, text: "1" });
  });

  it.each([
    ["an empty key", '"":1'],
    ["__proto__", '"__proto__":{"value":3}'],
    ["a dotted key", '"a.value":1'],
    ["a key with NUL", '"value\\u0000":1'],
    ["a key of 30,000 characters", `"${"k".repeat(30_000)}":1`],
  ])("is not disturbed by %s", async (_, member) => {
    const json = `{"id":"x","properties":{${member},"\\u0076alue":2}}`;
    expect(await readByStore(json)).toMatchObject({ isRead: true, text: "2" });
  });

  it("reads a number in a path as the position of an object's member", async () => {
    const [row] = await store.query(
      `SELECT JSONExtractString('{"a":{"b":"by position"}}', 'a', 1) AS member`,
    );
    expect(row).toEqual({ member: "by position" });
  });
});
