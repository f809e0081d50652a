import { describe, expect, it } from "vitest";
import { createRates } from "./rates.ts";

function ticking() {
  let nowS = 0;
  const pass = (seconds: number): void => {
    nowS += seconds;
  };
  return { monotonicMs: () => nowS * 1000, pass };
}

describe("one browser", () => {
  it.each([[1], [100], [2500]])("that keeps sending batches of %i leaves room for the others", (batch) => {
    const clock = ticking();
    const rates = createRates(1000, clock.monotonicMs);
    let ofGreedy = 0;
    let ofOthers = 0;
    let refusedOthers = 0;
    for (let step = 0; step < 6000; step += 1) {
      clock.pass(0.01);
      while (rates.waitS("203.0.113.1") === 0) {
        rates.take("203.0.113.1", batch);
        ofGreedy += batch;
      }
      if (step % 10 > 0) continue; // ten messages a second, each from another browser
      const address = `198.51.100.${step % 250}`;
      if (rates.waitS(address) > 0) refusedOthers += 1;
      else {
        rates.take(address, 1);
        ofOthers += 1;
      }
    }
    expect(ofGreedy).toBeLessThanOrEqual(60 * 250 + 250 + batch);
    expect({ ofOthers, refusedOthers }).toEqual({ ofOthers: 600, refusedOthers: 0 });
  });

  it("counts as one, whichever addresses of its network it uses", () => {
    const clock = ticking();
    const rates = createRates(100, clock.monotonicMs);
    rates.take("2001:db8:1:2::1", 1000);
    expect(rates.waitS("2001:db8:1:2:3::9")).toBeGreaterThan(30);
    expect(rates.waitS("2001:db8:2::1")).toBe(0);
  });
});

it("all browsers together send no more than the limit, apart from their first batches", () => {
  const clock = ticking();
  const rates = createRates(1000, clock.monotonicMs);
  let taken = 0;
  for (let step = 0; step < 6000; step += 1) {
    clock.pass(0.01);
    for (let client = 0; client < 20; client += 1) {
      const address = `198.51.100.${client}`;
      if (rates.waitS(address) > 0) continue;
      rates.take(address, 100);
      taken += 100;
    }
  }
  expect(taken).toBeLessThanOrEqual(60 * 1000 + 20 * 350);
});

it("large batches of many browsers leave room for small ones, and do not exceed the limit", () => {
  const clock = ticking();
  const rates = createRates(1000, clock.monotonicMs);
  let ofLarge = 0;
  let refusedSmall = 0;
  for (let step = 0; step < 6000; step += 1) {
    clock.pass(0.01);
    for (let client = 0; client < 40; client += 1) {
      const address = `198.51.100.${client}`;
      if (rates.waitS(address, 2500) > 0) continue;
      rates.take(address, 2500);
      ofLarge += 2500;
    }
    if (rates.waitS(`203.0.113.${step % 250}`, 1) > 0) refusedSmall += 1;
    else rates.take(`203.0.113.${step % 250}`, 1);
  }
  expect(ofLarge).toBeLessThanOrEqual(61 * 1000 + 2500);
  expect(ofLarge).toBeGreaterThan(30 * 1000);
  expect(refusedSmall).toBe(0);
});

it("remembers a bounded number of browsers", () => {
  const clock = ticking();
  const rates = createRates(100, clock.monotonicMs);
  rates.take("first", 1000);
  for (let client = 0; client < 1000; client += 1) rates.take(`client-${client}`, 1);
  clock.pass(30); // all browsers together may send again; the wait of the first alone would be 40 s
  expect(rates.waitS("client-999")).toBe(0);
  expect(rates.waitS("first")).toBe(0); // forgotten
});
