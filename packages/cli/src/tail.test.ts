import { expect, test } from "vitest";
import { toFilters } from "./tail.ts";

test("the options become the filters of /api/live, with any = in the values", () => {
  const filters = toFilters({
    source: "client",
    event: "A & B",
    user: "me",
    where: ["properties.a=b=c", "context.app.name="],
  });
  expect([...filters]).toEqual([
    ["source", "client"],
    ["event", "A & B"],
    ["userId", "me"],
    ["properties.a", "b=c"],
    ["context.app.name", ""],
  ]);
});
