import { expect, it } from "vitest";
import { countInstance, countStory, total } from "./count-story.ts";
import { makeStory } from "./make-story.ts";
import { DAY_MS, HOUR_MS, RELEASES, type Story } from "./story.ts";
import { actionsOf, copiedHeartbeatsOf, heartbeatsOf, visitsOf } from "./timeline.ts";

const END_MS = Date.UTC(2026, 10, 27, 12);
const OPTIONS = { seed: 1, instances: 400, weeks: 26, endMs: END_MS };
const story = makeStory(OPTIONS);
const counts = countStory(story);

it("is the same for the same seed, and different for another seed", () => {
  expect(makeStory(OPTIONS)).toEqual(story);
  expect(countStory(makeStory(OPTIONS))).toEqual(counts);
  expect(makeStory({ ...OPTIONS, seed: 2 }).fleet).not.toEqual(story.fleet);
});

it("keeps all times within the story, oldest first", () => {
  for (const instance of story.fleet) {
    const people = instance.people.map((person) => visitsOf(story, instance, person));
    const lives = [
      heartbeatsOf(story, instance),
      copiedHeartbeatsOf(story, instance),
      actionsOf(story, instance),
    ];
    for (const times of [...lives, ...people].map((moments) => moments.map(({ atMs }) => atMs))) {
      expect(times.every((atMs) => atMs >= story.fromMs && atMs <= END_MS)).toBe(true);
      expect(times).toEqual([...times].sort((one, other) => one - other));
    }
  }
  expect(story.installs.every(({ atMs, endMs }) => atMs <= endMs && endMs <= END_MS)).toBe(true);
});

it("has about the shares in the tables: environments, trials, copies, refusals, failed installs", () => {
  const share = (test: (instance: Story["fleet"][number]) => boolean): number =>
    story.fleet.filter(test).length / story.fleet.length;
  expect(share(({ environment }) => environment === "development")).toBeCloseTo(0.12, 1);
  expect(share(({ environment }) => environment === "ci")).toBeCloseTo(0.05, 1);
  expect(share(({ life }) => life.toMs - life.fromMs <= DAY_MS)).toBeGreaterThan(0.08);
  expect(share(({ starts }) => starts.length === 1)).toBeGreaterThan(0.15);
  expect(share(({ outages }) => outages.length > 0)).toBeGreaterThan(0.15);
  expect(counts.copied).toBeGreaterThanOrEqual(4);
  expect(counts.copied).toBeLessThanOrEqual(9);
  expect(counts.refused).toBeGreaterThan(0);
  expect(counts.gone).toBeGreaterThan(50);
  expect(total(counts.alive)).toBeGreaterThan(150);
  expect(counts.lateOrLapsed).toBeGreaterThan(10);
  expect(total(counts.installErrors)).toBe(counts.installer["Installation Errors"]);
  expect(counts.installer["Installation Started"]).toBe(
    total(counts.installErrors) + counts.silentInstalls + (counts.installer["Installation Success"] ?? 0),
  );
});

it.each([1, 2, 31, 1000])(
  "has an instance of every environment that is alive at the end, with seed %i",
  (seed) => {
    const { alive } = countStory(makeStory({ ...OPTIONS, seed }));
    expect(Object.keys(alive).sort()).toEqual(["ci", "development", "production", "test"]);
  },
);

it("sends heartbeats every six hours except in outages, and never two at once", () => {
  for (const instance of story.fleet.slice(0, 50)) {
    const times = heartbeatsOf(story, instance).map(({ atMs }) => atMs);
    const isOut = (atMs: number): boolean =>
      instance.outages.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
    expect(times.some(isOut)).toBe(false);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(gaps.every((gapMs) => gapMs > 0)).toBe(true);
    if (instance.outages.length > 0) continue;
    expect(gaps.every((gapMs) => gapMs >= 6 * HOUR_MS && gapMs <= 6.3 * HOUR_MS)).toBe(true);
  }
});

it("upgrades only to released versions, never back, and to pre-releases only in development", () => {
  for (const { starts, environment, life } of story.fleet) {
    const versions = starts.map(({ release }) =>
      RELEASES.findIndex(({ version }) => version === release.version),
    );
    expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other));
    expect(starts.every(({ atMs, release }) => release.atMs <= atMs && atMs >= life.fromMs)).toBe(true);
    if (environment !== "development") expect(starts.some(({ release }) => release.isPre)).toBe(false);
  }
});

it("has a release in which one plugin fails, and its fix", () => {
  const shareOf = (name: string): number => {
    const { failed = 0, all = 0 } = counts.faults.find(({ version }) => version === name) ?? {};
    expect(all).toBeGreaterThan(300);
    return failed / all;
  };
  expect(shareOf("1.10.0")).toBeLessThan(0.04);
  expect(shareOf("1.11.0")).toBeGreaterThan(0.15);
  expect(shareOf("1.11.1")).toBeLessThan(0.04);
});

it("sends nothing from an instance whose operator said No", () => {
  const refused = story.fleet.filter(({ isRefused }) => isRefused);
  expect(refused.map((instance) => countInstance(story, instance).heartbeats)).toEqual(refused.map(() => 0));
});
