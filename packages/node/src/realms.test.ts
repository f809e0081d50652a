import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { codeOf } from "@candor/envelope/unknown-value";
import { describe, expect, it } from "vitest";
import { copyPlain } from "./plain-copy.ts";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));
/**
 * Matches `instanceof` with any class other than the SDK's own and `dgram.Socket`. Each realm has its own
 * copies of the built-in classes, so the SDK must not compare with those.
 */
const BUILT_IN = /instanceof (?!FaultError\b|GatewayFault\b|dgram\.Socket\b)\w+/g;
const TIMER = /(?<![.\w])(?:setTimeout|setInterval)\(/;

/** The SDK's sources without operator/, a separate program that no product loads. */
const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !/rig\/|^operator\//.test(name))
  .map((name) => ({ name, text: readFileSync(`${SOURCES}/${name}`, "utf8") }));

describe("in a realm that is not Node's", () => {
  it.each([
    ["Object.assign(new Error(), { code: 'ENOENT' })", "ENOENT"],
    ["({ code: 'EACCES' })", "EACCES"],
    ["new Error('ENOENT')", undefined],
    ["Object.assign(new Error(), { code: 2 })", undefined],
    ["null", undefined],
    ["'ENOENT'", undefined],
  ])("the code of %s is %s", (text, code) => {
    expect(codeOf(runInNewContext(text))).toBe(code);
  });

  it("a date is a date", () => {
    const values = { at: runInNewContext("new Date(0)"), list: runInNewContext("[new Date(NaN)]") };
    expect(copyPlain(values)).toEqual({ at: "1970-01-01T00:00:00.000Z", list: [null] });
  });

  it("no source file uses instanceof with a class of which each realm has its own copy", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(
      files.flatMap(({ name, text }) => (text.match(BUILT_IN) ?? []).map((found) => `${name}: ${found}`)),
    ).toEqual([]);
  });

  it("no source file uses the timers that a product's tests replace", () => {
    const wrong = files.filter(({ text }) => TIMER.test(text) && !text.includes('from "node:timers"'));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
