import { expect, it } from "vitest";
import { randomHex, randomUuid } from "./storage.ts";

it("makes random ids in the forms of the reference", () => {
  const uuids = Array.from({ length: 200 }, randomUuid);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(uuids).size).toBe(200);
  expect(new Set(uuids.map((uuid) => uuid[19])).size).toBe(4);
  expect(randomHex(32)).toMatch(/^[0-9a-f]{32}$/);
});
