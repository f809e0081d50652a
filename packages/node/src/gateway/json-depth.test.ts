import fc from "fast-check";
import { expect, it } from "vitest";
import { nestsDeeper } from "./json-depth.ts";

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

it("tells how deep any JSON nests, whatever stands in its texts", () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 6 }), fc.constant({ '[{\\"': ['{[[["\\', "]]}"] }));
  fc.assert(
    fc.property(value, (any) => {
      const bytes = Buffer.from(JSON.stringify(any));
      const depth = depthOf(any);
      return !nestsDeeper(bytes, depth) && (depth === 0 || nestsDeeper(bytes, depth - 1));
    }),
  );
});

it("ends at what is no JSON", () => {
  for (const text of ["]]]", '"', '"\\', "[[", ""]) {
    expect(nestsDeeper(Buffer.from(text), 2)).toBe(false);
  }
  expect(nestsDeeper(Buffer.from("[[["), 2)).toBe(true);
});
