import { expect, test } from "vitest";
import { parseMetrics, toAhead } from "./examine.ts";

test("the values without labels are read from Prometheus' text", () => {
  const text = '# HELP a b\n# TYPE a gauge\na 1\nb{source="server"} 2\nc 0.5\nd NaN\n';
  expect([...parseMetrics(text)]).toEqual([
    ["a", 1],
    ["c", 0.5],
    ["d", Number.NaN],
  ]);
});

test.each([
  ["within the second that the header names", 5000, 5100, 5900, 0],
  ["between question and answer", 6000, 5100, 6200, 0],
  ["later than the answer", 20_000, 5100, 5200, 14_800],
  ["long before the question", 1000, 61_999, 62_050, -60_000],
])("a collector's time %s", (_name, dateMs, askedAtMs, answeredAtMs, aheadMs) => {
  expect(toAhead(dateMs, askedAtMs, answeredAtMs)).toBe(aheadMs);
});
