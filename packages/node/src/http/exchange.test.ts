import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "./exchange.ts";

const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const DAY_MS = 86_400_000;

describe("Retry-After", () => {
  it.each<[value: string | undefined, date: string | undefined, waitMs: number | undefined]>([
    [undefined, undefined, undefined],
    ["", undefined, undefined],
    ["0", undefined, 0],
    [" 7 ", undefined, 7000],
    ["86400", undefined, DAY_MS],
    ["99999999999999999999", undefined, DAY_MS],
    ["-5", undefined, undefined],
    ["1.5", undefined, undefined],
    ["soon", undefined, undefined],
    ["2026", undefined, 2_026_000],
    ["2026-11-23T12:01:00Z", undefined, undefined],
    ["Mon, 23 Nov 2026 12:00:30 GMT", undefined, 30_000],
    ["Monday, 23-Nov-26 12:00:30 GMT", undefined, 30_000],
    ["Mon, 23 Nov 2026 11:00:00 GMT", undefined, 0],
    ["Mon, 23 Nov 2027 12:00:00 GMT", undefined, DAY_MS],
    ["Mon, 32 Nov 2026 99:00:00 GMT", undefined, undefined],
    ["Mon, 23 Nov 2026 12:00:30 GMT", "Mon, 23 Nov 2026 12:00:20 GMT", 10_000],
    ["Mon, 23 Nov 2026 12:00:30 GMT", "nonsense", 30_000],
    ["7", "Mon, 23 Nov 2020 12:00:20 GMT", 7000],
  ])("%j with Date %j waits %j ms", (value, date, waitMs) => {
    expect(parseRetryAfter(value, date, NOW_MS)).toBe(waitMs);
  });
});
