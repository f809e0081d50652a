import { describe, expect, test } from "vitest";
import { ID_BYTES, idTag, idWriter, timeWriter } from "./patch.ts";

function nextIds(tag: number, count: number): string[] {
  const write = idWriter(tag);
  const target = Buffer.alloc(ID_BYTES, "-");
  return Array.from({ length: count }, () => {
    write(target, 0);
    return target.toString();
  });
}

describe("ids", () => {
  test("look like random UUIDs in the placeholder they overwrite", () => {
    const target = Buffer.from("00000000-0000-4000-a000-000000000000");
    idWriter(1)(target, 0);
    expect(target.toString()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("never repeat within a connection, across connections, or across processes", () => {
    const ids = new Set<string>();
    for (const idPrefix of ["0", "1", "a", "zzzz"]) {
      for (const connection of [0, 1, 31, 255]) {
        for (const id of nextIds(idTag(idPrefix, connection), 5000)) ids.add(id);
      }
    }
    expect(ids.size).toBe(4 * 4 * 5000);
  });

  test("idTag rejects values whose tag would collide with another", () => {
    expect(() => idTag("00000", 0)).toThrow(RangeError);
    expect(() => idTag("", 0)).toThrow(RangeError);
    expect(() => idTag("a", 256)).toThrow(RangeError);
  });
});

test("times are written as by toISOString, even across midnight", () => {
  const write = timeWriter();
  const target = Buffer.from("2000-01-01T00:00:00.000Z");
  for (const iso of [
    "2026-01-31T23:59:59.999Z",
    "2026-02-01T00:00:00.000Z",
    "2026-01-31T09:08:07.006Z",
    "1999-12-31T12:00:00.010Z",
  ]) {
    write(target, 0, Date.parse(iso));
    expect(target.toString()).toBe(iso);
  }
});
