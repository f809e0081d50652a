import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";
import { Lease } from "./lease.ts";

const DAY_MS = 86_400_000;

function open() {
  const path = join(makeFolderForTest(), "sender.lease");
  const time = { ms: Date.parse("2026-11-23T12:00:00Z") };
  const now = (): number => time.ms;
  return { path, time, one: new Lease({ path, now }), other: new Lease({ path, now }) };
}

it("is held by one process until that one releases it", async () => {
  const { one, other, path } = open();
  expect([await one.take(), await other.take(), await one.take()]).toEqual([true, false, true]);
  other.release();
  expect(existsSync(path)).toBe(true);
  one.release();
  expect(existsSync(path)).toBe(false);
  expect(await other.take()).toBe(true);
  expect(one.renew()).toBe(false);
});

it("is taken over if it expired, and its former holder notices that", async () => {
  const { one, other, time } = open();
  await one.take();
  time.ms += 29_000;
  expect(await other.take()).toBe(false);
  time.ms += 1000;
  expect(await other.take()).toBe(true);
  expect(one.renew()).toBe(false);
  expect(other.renew()).toBe(true);
});

it("stays with a holder that renews it", async () => {
  const { one, other, time } = open();
  await one.take();
  for (let round = 0; round < 10; round += 1) {
    time.ms += 15_000;
    expect(one.renew()).toBe(true);
    expect(await other.take()).toBe(false);
  }
});

it.each([
  ["forward", DAY_MS],
  ["back", -DAY_MS],
])("does not stay with a dead holder if the clock jumps %s by a day", async (_where, ms) => {
  const { one, other, time } = open();
  await one.take();
  time.ms += ms;
  expect(await other.take()).toBe(true);
});

it("has one holder if several processes take over an abandoned one at once", async () => {
  const { path, time } = open();
  writeFileSync(path, '{"holder":"dead","untilMs":1}\n');
  const leases = Array.from({ length: 5 }, () => new Lease({ path, now: () => time.ms }));
  const taken = await Promise.all(leases.map((lease) => lease.take()));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

it.each(["", "not JSON", "[]", '{"holder":1}'])("is taken over if its file contains %j", async (text) => {
  const { path, one } = open();
  writeFileSync(path, text);
  expect(await one.take()).toBe(true);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
    holder: expect.stringMatching(/^[0-9a-f]{16}$/),
    untilMs: Date.parse("2026-11-23T12:00:30Z"),
  });
});
