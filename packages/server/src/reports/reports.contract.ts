import { readFileSync } from "node:fs";
import { seededRandom } from "@candor/bench/usage-event";
import { type Field, loadPlan } from "@candor/plan";
import { beforeAll, expect, it, vi } from "vitest";
import { expectedClient, sortLists } from "../rig/client-oracle.ts";
import { type FleetMessage, makeFleet, toFleetLine } from "../rig/fleet.ts";
import {
  bitsOf,
  countedIn,
  type Days,
  expectedActive,
  expectedAnonymity,
  factOf,
  group,
  heartbeatsOf,
  localDay,
  type Seen,
  seenIn,
  shift,
  tally,
  utcDay,
} from "../rig/fleet-oracle.ts";
import { APPSMITH_PLAN } from "../rig/in-process.ts";
import { withLongRetention } from "../rig/real-store.ts";
import { CONTACT_TARGET, EVENT_TARGET, toContactLine } from "../row.ts";
import type { Store } from "../store/client.ts";
import { applyPlanToStore } from "../store/plan-columns.ts";
import { askForRebuild, compareWithEvents, monthsWithRows, rebuildPending } from "../store/rollups.ts";
import { fieldAt, reportAnonymity } from "./anonymity-report.ts";
import { type ReportDependencies, readHead } from "./ask.ts";
import { reportClient } from "./client-report.ts";
import { exclude, listExclusions } from "./exclusions.ts";
import { describeExploreContract } from "./explore.contract.ts";
import { reportFacts } from "./facts-report.ts";
import { reportFeatures } from "./features-report.ts";
import { reportInstalls } from "./installs-report.ts";
import { listInstances, readTimeline, reportInstances } from "./instances-report.ts";
import { reportOverview } from "./overview-report.ts";
import { type Period, readPeriod } from "./period.ts";
import { openPublicAnonymity, type PublicAnonymity } from "./public-anonymity.ts";
import { createPublicStats } from "./public-stats.ts";
import { type Declaration, declareRelease, listDeclarations } from "./releases.ts";
import { reportSupport } from "./support-report.ts";
import { reportVersions } from "./versions-report.ts";

const PLAN = withLongRetention(loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), "appsmith.yaml"));
const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-10T15:20:00.000Z");
const SEED = 20_261_127;
/**
 * Zones with daylight saving time that changes in these weeks, with offsets in fractions of an hour, and with
 * offsets beyond 12 hours.
 */
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
];

let store: Store;
let deps: ReportDependencies;
let messages: FleetMessage[];
let excluded = "";

const alone = (task: () => Promise<void>): Promise<void> => task();

async function fill(): Promise<void> {
  await applyPlanToStore(store, PLAN);
  messages = makeFleet(seededRandom(SEED), { instances: 120, installs: 80, days: 75, untilMs: NOW_MS });
  const lines = messages.map(toFleetLine);
  const block = Math.ceil(lines.length / 3);
  for (let n = 0; n < 3; n++) {
    const part = Buffer.from(lines.slice(n * block, (n + 1) * block).join(""));
    await store.insertLines(EVENT_TARGET, part, `block-${n}`);
    await store.insertLines(EVENT_TARGET, part, `block-${n}`); // each block is sent twice
  }
  excluded = heartbeats()[0]?.id ?? "";
  const who = { instance: excluded };
  await exclude(store, { who, reason: "our own", isExcluded: true }, NOW_MS, String);
  deps = { store, plan: { current: () => ({ plan: PLAN }) }, storedUntilMs: () => NOW_MS };
}

const period = (query = ""): Period =>
  readPeriod(new URLSearchParams(query), {
    plan: PLAN,
    nowMs: NOW_MS,
    others: ["limit", "offset", "sort", "everyone", "by", "at_least", "search"],
  });
const heartbeats = (): FleetMessage[] => heartbeatsOf(messages);

const counted = (of: Days): Seen[] => countedIn({ messages, excluded }, of);

const PERIODS = ZONES.flatMap((zone) => [
  `zone=${zone}`,
  `zone=${zone}&from=2026-10-20&to=2026-11-05`,
  `zone=${zone}&from=2026-11-01&to=2026-11-01`,
]);

/** Compares the reports that count instances with what is computed from the messages. */
async function expectEqual(query: string): Promise<void> {
  const asked = period(query);
  const seen = seenIn({ messages, excluded }, asked);
  const base = seen.filter(({ leftOut }) => leftOut === "");
  const head = await readHead(deps, asked);
  expect(head.base.instances).toBe(base.length);
  expect(Object.fromEntries(head.base.leftOut.map(({ reason, instances }) => [reason, instances]))).toEqual(
    tally(
      seen.filter(({ leftOut }) => leftOut !== ""),
      ({ leftOut }) => leftOut,
    ),
  );
  const overview = await reportOverview(deps, asked);
  expect(overview.active).toEqual(expectedActive({ messages, excluded }, asked));
  expect(overview.activeBefore).toEqual(expectedActive({ messages, excluded }, asked.before()));
  expect(Object.fromEntries(overview.activeByDay.map(({ day, instances }) => [day, instances]))).toEqual(
    tally(
      base.flatMap(({ days }) => [...days]),
      (day) => day,
    ),
  );
  const facts = await reportFacts(deps, asked);
  for (const name of ["version", "os", "environment"]) {
    const values =
      facts.facts.find((fact) => fact.name === name)?.values.filter(({ instances }) => instances > 0) ?? [];
    expect(Object.fromEntries(values.map(({ value, instances }) => [value, instances]))).toEqual(
      tally(base, (one) => one.facts[name] || "unknown"),
    );
  }
}

/** Compares the report about browsers with what is computed from the messages. */
async function expectClientEqual(query: string): Promise<void> {
  const asked = period(query);
  const { from, to, zone, asOf, base, ...report } = await reportClient(deps, asked);
  expect(sortLists(report)).toEqual(sortLists(expectedClient({ messages, excluded }, asked)));
  for (const counts of [report.routes.map(({ views }) => views), report.flows.map(({ count }) => count)])
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
}

/**
 * Defines the tests of reports, over a store that has no rows yet. Each report is compared with what is
 * computed from the messages alone. The tests run on the embedded engine and on a cluster.
 */
export function describeReportsContract(open: () => Promise<Store>): void {
  beforeAll(async () => {
    store = await open();
    await fill();
  });

  it.each(PERIODS)("about which instances are active and what they run on (%s)", expectEqual, 60_000);

  it("up to a time before they were asked, because rows are stored meanwhile", async () => {
    let untilMs = NOW_MS;
    const query: Store["query"] = (...asked) => {
      untilMs += 1000;
      return store.query(...asked);
    };
    const filling = { ...deps, store: { ...store, query }, storedUntilMs: () => untilMs };
    expect((await readHead(filling, period())).asOf).toBe(new Date(NOW_MS).toISOString());
  });

  it("about who is left out by facts, until that ends", async () => {
    const asked = period();
    const who = { facts: { os: "linux", version: "1.10.0" } };
    const isOne = ({ id, facts }: Seen): boolean =>
      id !== excluded && facts.os === who.facts.os && facts.version === who.facts.version;
    const readLeftOut = async (): Promise<number | undefined> =>
      (await readHead(deps, asked)).base.leftOut.find(({ reason }) => reason === "excluded by its facts")
        ?.instances;
    await exclude(store, { who, reason: "staff", isExcluded: true }, NOW_MS, String);
    const left = seenIn({ messages, excluded }, asked).filter(isOne);
    expect(left.length).toBeGreaterThan(2);
    expect(await readLeftOut()).toBe(left.length);
    expect((await readHead(deps, asked)).base.instances).toBe(
      counted(asked).filter((one) => !isOne(one)).length,
    );
    expect(await listExclusions(store)).toEqual([
      { instance: excluded, reason: "our own" },
      { ...who, reason: "staff" },
    ]);
    await exclude(store, { who, reason: "", isExcluded: false }, NOW_MS + 1, String);
    expect(await readLeftOut()).toBeUndefined();
  });

  it("about what the maker says of releases", async () => {
    const asked = period("from=2026-09-15");
    let atMs = NOW_MS;
    const say = (version: string, said: Declaration["said"], releasedMs = 0): Promise<void> => {
      atMs += 1;
      return declareRelease(store, { version, said, releasedMs }, atMs);
    };
    const before = await reportVersions(deps, asked);
    expect(before.upgrade?.version).toBe("1.11.0");
    await say("1.11.0", "no release");
    const withdrawn = await reportVersions(deps, asked);
    expect(withdrawn.upgrade?.version).toBe("1.10.0");
    expect(withdrawn.versions[0]).toMatchObject({ version: "1.11.0", isRelease: false, releasedAt: null });
    const releasedMs = NOW_MS - 10 * DAY_MS;
    await say("1.11.0", "release", releasedMs);
    await say("1.12.0", "release", NOW_MS); // nobody runs it yet
    expect((await reportVersions(deps, asked)).versions[0]).toMatchObject({
      version: "1.11.0",
      isRelease: true,
      releasedAt: new Date(releasedMs).toISOString(),
    });
    expect(await listDeclarations(store)).toEqual([
      { version: "1.12.0", isRelease: true, releasedAt: new Date(NOW_MS).toISOString() },
      { version: "1.11.0", isRelease: true, releasedAt: new Date(releasedMs).toISOString() },
    ]);
    await say("1.11.0", "auto");
    await say("1.12.0", "auto");
    expect(await listDeclarations(store)).toEqual([]);
    expect(await reportVersions(deps, asked)).toEqual(before);
  });

  it("about instances: statuses and survival", async () => {
    const asked = period("from=2026-08-01");
    const base = counted(asked);
    const report = await reportInstances(deps, asked);
    const statusOf = ({ lastMs }: Seen): string => {
      const age = NOW_MS - lastMs;
      return age <= 7 * 3_600_000 ? "alive" : age <= DAY_MS ? "late" : age <= 28 * DAY_MS ? "lapsed" : "gone";
    };
    expect(report.statuses).toEqual({ alive: 0, late: 0, lapsed: 0, gone: 0, ...tally(base, statusOf) });
    const mondayOf = (ms: number): string => shift(utcDay(ms), -((new Date(ms).getUTCDay() + 6) % 7));
    const weeks = group(
      base.filter(({ firstMs }) => utcDay(firstMs) >= asked.from),
      ({ firstMs }) => mondayOf(firstMs),
    );
    const after = (of: readonly Seen[], days: number): number =>
      of.filter(({ firstMs, lastMs }) => lastMs - firstMs >= days * DAY_MS).length;
    expect(report.survival).toEqual(
      [...weeks].sort().map(([week, of]) => ({
        week,
        instances: of.length,
        day1: after(of, 1),
        day7: after(of, 7),
        day28: after(of, 28),
        day90: after(of, 90),
      })),
    );
  });

  it("about versions: shares in semver order, weeks, releases, upgrades and failures", async () => {
    const asked = period("from=2026-09-15");
    const base = counted(asked);
    const report = await reportVersions(deps, asked);
    expect(report.versions.map(({ version }) => version)).toEqual(
      ["1.11.0", "1.10.1-rc.1", "1.10.0", "1.9.2", "unknown"].filter((version) =>
        base.some(({ facts }) => (facts.version || "unknown") === version),
      ),
    );
    const known = report.versions.filter(({ version }) => version !== "unknown");
    expect(known.at(-1)?.atLeastShare).toBeCloseTo(
      base.filter(({ facts }) => facts.version !== "").length / base.length,
    );
    const beats = heartbeats().filter(({ id }) => base.some((one) => one.id === id));
    const firstOn = (version: string): number[] =>
      [
        ...group(
          heartbeats().filter((one) => factOf(one, "version") === version),
          ({ id }) => id,
        ).values(),
      ]
        .map((of) => Math.min(...of.map(({ atMs }) => atMs)))
        .sort((a, b) => a - b);
    for (const { version, releasedAt } of known) {
      const third = firstOn(version)[2];
      expect(releasedAt).toBe(third === undefined ? null : new Date(third).toISOString());
    }
    const released = Date.parse(
      report.versions.find(({ version }) => version === "1.11.0")?.releasedAt ?? "",
    );
    const before = base.filter(({ firstMs }) => firstMs < released);
    const lags = before
      .map(({ id }) =>
        Math.min(
          ...beats
            .filter((one) => one.id === id && factOf(one, "version") === "1.11.0")
            .map(({ atMs }) => atMs),
        ),
      )
      .filter(Number.isFinite)
      .map((atMs) => Math.max(0, atMs - released))
      .sort((a, b) => a - b);
    expect(report.upgrade).toMatchObject({
      version: "1.11.0",
      upgraded: lags.length,
      notUpgraded: before.length - lags.length,
    });
    const uses = messages.filter(
      ({ event, id, atMs }) =>
        event === "execute_ACTION_TRIGGERED" &&
        base.some((one) => one.id === id) &&
        utcDay(atMs) >= asked.from,
    );
    const failuresOf = (version: string): object => {
      const of = uses.filter((one) => factOf(one, "version") === version);
      const failed = of.filter(({ properties }) => properties.isSuccessfulExecution === false).length;
      return { version, uses: of.length, failedShare: failed / of.length };
    };
    expect(report.regression).toMatchObject({ release: failuresOf("1.11.0"), before: failuresOf("1.10.0") });
  });

  it.each([1, 5])(
    "about features: instances that used them at least %i times, outcomes and durations",
    async (atLeast) => {
      const query = `from=2026-10-01&to=2026-10-31&by=pluginName&at_least=${atLeast}`;
      const asked = period(query);
      const report = await reportFeatures(deps, asked, new URLSearchParams(query));
      const ids = new Set(counted(asked).map(({ id }) => id));
      const all = messages.filter(
        ({ event, atMs }) =>
          event === "execute_ACTION_TRIGGERED" && utcDay(atMs) >= asked.from && utcDay(atMs) <= asked.to,
      );
      for (const plugin of ["PostgreSQL", "REST API", "Slack"]) {
        const of = all.filter(({ properties }) => properties.pluginName === plugin);
        const uses = of.filter(({ id }) => ids.has(id));
        const users = [...group(uses, ({ id }) => id).values()].filter((one) => one.length >= atLeast);
        const found = report.features.find(({ value }) => value === plugin);
        expect(found).toMatchObject({
          instances: users.length,
          share: users.length / ids.size,
          count: uses.length,
          successShare:
            uses.filter(({ properties }) => properties.isSuccessfulExecution === true).length / uses.length,
        });
        const took = of
          .map(({ properties }) => Number(properties.timeElapsed ?? Number.NaN))
          .filter(Number.isFinite)
          .sort((a, b) => a - b);
        expect(found?.durations?.count).toBe(took.length);
        const exact = took[Math.ceil(0.95 * took.length) - 1] ?? 0;
        expect(Math.abs((found?.durations?.p95Ms ?? 0) / exact - 1)).toBeLessThan(0.031);
      }
    },
  );

  it.each(ZONES)("about installs: outcomes, errors, systems and durations (%s)", async (zone) => {
    const asked = period(`from=2026-09-20&zone=${zone}`);
    const report = await reportInstalls(deps, asked);
    const tries = [
      ...group(
        messages.filter(({ source }) => source === "installer"),
        ({ id }) => id,
      ).values(),
    ].filter((of) => {
      const day = localDay(Math.min(...of.map(({ atMs }) => atMs)), zone);
      return day >= asked.from && day <= asked.to;
    });
    const outcomeOf = (of: readonly FleetMessage[]): string => {
      if (of.some(({ event }) => event === "Installation Success")) return "success";
      if (of.some(({ event }) => event === "Installation Errors")) return "error";
      return Math.max(...of.map(({ atMs }) => atMs)) < NOW_MS - DAY_MS ? "silent" : "running";
    };
    expect(report.installs).toBe(tries.length);
    expect(Object.fromEntries(report.outcomes.map(({ outcome, installs }) => [outcome, installs]))).toEqual({
      success: 0,
      error: 0,
      silent: 0,
      running: 0,
      ...tally(tries, outcomeOf),
    });
    const errorOf = (of: readonly FleetMessage[]): string =>
      String(of.find(({ event }) => event === "Installation Errors")?.properties.error);
    expect(Object.fromEntries(report.errors.map(({ error, installs }) => [error, installs]))).toEqual(
      tally(
        tries.filter((of) => outcomeOf(of) === "error"),
        errorOf,
      ),
    );
  });

  it.each(ZONES)(
    "about installs that led to an instance, whether or not they succeeded (%s)",
    async (zone) => {
      const asked = period(`from=2026-09-20&zone=${zone}`);
      const { ledToInstance } = await reportInstalls(deps, asked);
      const firstBeats = new Map(
        [...group(heartbeats(), ({ id }) => id).values()].map((own) => [
          own.find(({ properties }) => properties.installId !== undefined)?.properties.installId,
          Math.min(...own.map(({ atMs }) => atMs)),
        ]),
      );
      const tries = group(
        messages.filter(({ source }) => source === "installer"),
        ({ id }) => id,
      );
      const within = [...tries].filter(([, of]) => {
        const day = localDay(Math.min(...of.map(({ atMs }) => atMs)), zone);
        return day >= asked.from && day <= asked.to;
      });
      const succeededAt = (of: readonly FleetMessage[]): number | undefined =>
        of.find(({ event }) => event === "Installation Success")?.atMs;
      const linked = within.filter(([id]) => firstBeats.has(id));
      const waits = linked
        .flatMap(([id, of]) => {
          const atMs = succeededAt(of);
          return atMs === undefined ? [] : [Math.max(0, (firstBeats.get(id) ?? 0) - atMs)];
        })
        .sort((a, b) => a - b);
      expect(new Set(waits).size).toBeGreaterThan(3);
      expect(ledToInstance).toEqual({
        succeeded: waits.length,
        share: waits.length / within.filter(([, of]) => succeededAt(of) !== undefined).length,
        notSucceeded: linked.length - waits.length,
        medianToHeartbeatMs: waits[Math.floor((waits.length - 1) / 2)],
      });
    },
  );

  it.each(PERIODS)("about browsers: visits, routes, controls, flows and families (%s)", expectClientEqual);

  it("about browsers: nothing where no message tells it", async () => {
    const { base, ...empty } = await reportClient(deps, period("from=2026-05-01&to=2026-05-31"));
    expect(empty).toMatchObject({ instances: 0, share: null, messages: 0, messagesLeftOut: 0 });
    expect(empty).toMatchObject({
      routes: [],
      controls: [],
      flows: [],
      locales: [],
      browsers: [],
      systems: [],
    });
    expect(empty.visits).toEqual({ visits: 0, byDay: [], views: null, length: null });
    const events = PLAN.events.map((event) => ({ ...event, routes: [] }));
    const noPages = { ...deps, plan: { current: () => ({ plan: { ...PLAN, events } }) } };
    const { routes, flows, controls, visits } = await reportClient(noPages, period("from=2026-09-20"));
    expect({ routes, flows, views: visits.views }).toEqual({
      routes: [],
      flows: [],
      views: { median: 0, p90: 0 },
    });
    expect(controls.map(({ control }) => control)).toContain("LOGIN_PAGE_LOAD");
  });

  it("about each instance: the list page by page, and its days", async () => {
    const asked = period("from=2026-09-20");
    const expected = counted(asked)
      .sort((a, b) => b.lastMs - a.lastMs || (a.id < b.id ? -1 : 1))
      .map(({ id, days }) => ({ instanceId: id, activeDays: days.size }));
    const listed: object[] = [];
    for (let offset = 0; offset < expected.length; offset += 20) {
      const page = await listInstances(deps, asked, new URLSearchParams(`limit=20&offset=${offset}`));
      listed.push(...page.instances.map(({ instanceId, activeDays }) => ({ instanceId, activeDays })));
    }
    expect(listed).toEqual(expected);
    const { id = "" } = heartbeats()[5] ?? {};
    const { days } = await readTimeline(deps, asked, new URLSearchParams(`instance=${id}`));
    const own = heartbeats().filter((one) => one.id === id && utcDay(one.atMs) >= asked.from);
    expect(Object.fromEntries(days.map(({ day, heartbeats: count }) => [day, count]))).toEqual(
      tally(own, ({ atMs }) => utcDay(atMs)),
    );
  });

  it("about anonymity: how many instances each field, and all facts together, single out", async () => {
    const asked = period("from=2026-10-01&to=2026-10-31");
    const report = await reportAnonymity(deps, asked);
    const combinations = Object.values(tally(counted(asked), ({ facts }) => JSON.stringify(facts)));
    expect(report.facts).toMatchObject({
      values: combinations.length,
      instances: combinations.reduce((sum, size) => sum + size, 0),
      smallestGroup: Math.min(...combinations),
      singledOut: combinations.filter((size) => size === 1).length,
    });
    const received = messages.filter(
      ({ source, id, receivedMs }) =>
        source !== "installer" &&
        id !== "" &&
        utcDay(receivedMs) >= asked.from &&
        utcDay(receivedMs) <= asked.to,
    );
    expect(report.instances).toBe(new Set(received.map(({ id }) => id)).size);
    expect(
      report.fields.map(({ help: _help, isIdentifying: _is, entropyBits: _bits, ...field }) => field),
    ).toEqual(expectedAnonymity(received));
    for (const { event, name, entropyBits } of report.fields)
      expect(entropyBits).toBeCloseTo(bitsOf(received, event, name), 6);
    const helpOf = (name: string): string | undefined => report.fields.find((one) => one.name === name)?.help;
    expect(helpOf("properties.instanceId")).toContain("the instance's id");
    expect(helpOf("anonymousId")).toContain("the instance's id");
    expect(helpOf("properties.timeElapsed")).toContain("`buckets`");
    expect(helpOf("properties.machine.disk.size\\.gb")).toContain("The plan does not declare it.");
    expect(["properties.os", "properties.pluginName", "country", "context.library.name"].map(helpOf)).toEqual(
      [...[undefined, undefined, undefined, undefined]],
    );
    const identifying = report.fields.filter(({ isIdentifying }) => isIdentifying);
    expect(identifying.map(({ event, name }) => [event, name])).toEqual(
      report.fields
        .filter(
          ({ name }) => !["properties.instanceId", "properties.timeElapsed", "anonymousId"].includes(name),
        )
        .filter(({ instances, singledOut }) => instances >= 20 && singledOut / instances >= 0.1)
        .map(({ event, name }) => [event, name]),
    );
  });

  it("about anonymity: what would help with the fields that a plan declares in objects", async () => {
    const field = { ...PLAN.events[0]?.fields.version, fact: false, dimension: false, measure: undefined };
    const size = { ...field, type: "integer", minimum: undefined, maximum: undefined, buckets: undefined };
    const parts = { ...field, type: "array", items: { type: "boolean" }, maxItems: 9 };
    const disk = { ...field, type: "object", fields: { "size.gb": size, parts } };
    const machine = { ...field, type: "object", fields: { disk } } as unknown as Field;
    const events = PLAN.events.map((event) =>
      event.heartbeat ? { ...event, fields: { ...event.fields, machine } } : event,
    );
    const declared = { ...deps, plan: { current: () => ({ plan: { ...PLAN, events } }) } };
    const { fields } = await reportAnonymity(declared, period("from=2026-10-01&to=2026-10-31"));
    const helpOf = (name: string): string | undefined => fields.find((one) => one.name === name)?.help;
    expect(helpOf("properties.machine.disk.size\\.gb")).toBe(
      "Declare `buckets`, so that only a range is kept.",
    );
    expect(fieldAt({ ...PLAN, events }, "Instance Active", "properties.machine.disk.parts")?.type).toBe(
      "array",
    );
  });

  it("about anonymity on the public page: measured at night, and kept", async () => {
    let [look, nowMs]: [() => void, number] = [() => {}, NOW_MS];
    const every = (_ms: number, run: () => void): (() => void) => {
      look = run;
      return () => {};
    };
    const onFault = (error: unknown): never => expect.unreachable(String(error));
    const open = () => openPublicAnonymity({ ...deps, now: () => nowMs, every, onFault });
    const untilMeasured = (one: PublicAnonymity) => vi.waitUntil(() => one.last(), { timeout: 20_000 });
    const measuring = open();
    nowMs += DAY_MS;
    look();
    const measured = await untilMeasured(measuring);
    measuring.close();
    const [from, to] = [shift(utcDay(nowMs), -28), shift(utcDay(nowMs), -1)];
    const received = messages.filter(
      ({ source, id, receivedMs }) =>
        source !== "installer" && id !== "" && utcDay(receivedMs) >= from && utcDay(receivedMs) <= to,
    );
    const expected = expectedAnonymity(received) as {
      readonly name: string;
      readonly singledOutShare: number;
    }[];
    const alone = expected.filter(({ singledOutShare }) => singledOutShare >= 0.1).map(({ name }) => name);
    const ids = ["properties.instanceId", "anonymousId", "properties.timeElapsed"];
    const identifying = new Set(alone.filter((name) => !ids.includes(name)));
    const isDeclared = (name: string): boolean =>
      PLAN.events.some(({ fields }) => fields[name.replace("properties.", "")] !== undefined);
    expect(measured).toEqual({
      ...{ day: utcDay(nowMs), days: 28, minGroup: 20 },
      instances: 20 * Math.floor(new Set(received.map(({ id }) => id)).size / 20),
      fields: new Set(expected.map(({ name }) => name)).size,
      identifying: [...identifying].filter(isDeclared),
      undeclared: [...identifying].filter((name) => !isDeclared(name)).length,
    });
    expect(measured.undeclared).toBeGreaterThan(0);
    await vi.waitUntil(
      async () => Number((await store.query("SELECT count() AS rows FROM anonymity"))[0]?.rows) > 0,
    );
    const reopened = open();
    expect(await untilMeasured(reopened)).toEqual(measured);
    reopened.close();
  });

  it("about what is published: in whole groups, of whole days", async () => {
    const stats = await createPublicStats(deps, 5, () => NOW_MS)();
    const asked = period(`from=${stats.from}&to=${stats.to}`);
    const base = counted(asked);
    expect([stats.to, stats.instances]).toEqual([shift(utcDay(NOW_MS), -1), 5 * Math.floor(base.length / 5)]);
    for (const { name, values } of stats.facts.filter((fact) => ["version", "os"].includes(fact.name))) {
      const groups = Object.entries(tally(base, ({ facts }) => facts[name] || "unknown"))
        .map(([value, size]) => [value, 5 * Math.floor(size / 5)] as const)
        .filter(([, size]) => size > 0);
      expect(Object.fromEntries(values.map(({ value, instances }) => [value, instances]))).toEqual(
        Object.fromEntries(groups),
      );
    }
  });

  it("about support: requests by day and by what is kept beside a contact, never a contact", async () => {
    const asking = [
      ["2026-11-20", { os: "ubuntu", error: "port_taken" }],
      ["2026-11-20", { os: "ubuntu", error: "docker_missing" }],
      ["2026-11-21", { os: "debian" }],
      ["2026-10-10", { os: "debian" }],
    ] as const;
    const lines = asking.map(([day, about], n) =>
      toContactLine({ contact: `ada${n}@example.org`, about }, `${day}T12:00:00.000Z`, n),
    );
    await store.insertLines(CONTACT_TARGET, Buffer.from(lines.join("")), "contacts");
    const report = await reportSupport(deps, period("from=2026-10-31&to=2026-11-27"));
    expect(report).toEqual({
      from: "2026-10-31",
      to: "2026-11-27",
      requests: 3,
      requestsBefore: 1,
      byDay: [
        { day: "2026-11-20", requests: 2 },
        { day: "2026-11-21", requests: 1 },
      ],
      fields: [
        {
          name: "error",
          values: [
            { value: "docker_missing", requests: 1 },
            { value: "port_taken", requests: 1 },
          ],
        },
        {
          name: "os",
          values: [
            { value: "ubuntu", requests: 2 },
            { value: "debian", requests: 1 },
          ],
        },
      ],
    });
  });

  describeExploreContract(() => ({ deps, plan: PLAN, nowMs: NOW_MS, zones: ZONES, messages, excluded }));

  it("about a segment: only instances with these facts", async () => {
    const asked = period("facts.os=darwin&facts.os=unknown&facts.version=1.10.0");
    const { base } = await readHead(deps, asked);
    const matching = counted(asked).filter(
      ({ facts }) => ["darwin", ""].includes(facts.os ?? "") && facts.version === "1.10.0",
    );
    expect(base.instances).toBe(matching.length);
  });

  it("after the plan marks another field, also for earlier messages", async () => {
    const query = "from=2026-10-01&to=2026-10-31&by=pluginName";
    const ofPlugins = () => reportFeatures(deps, period(query), new URLSearchParams(query));
    const before = await ofPlugins();
    const events = PLAN.events.map((event) => {
      const fields = Object.entries(event.fields).map(([name, field]) => [
        name,
        { ...field, dimension: false },
      ]);
      return { ...event, fields: Object.fromEntries(fields) };
    });
    await applyPlanToStore(store, { ...PLAN, events });
    await rebuildPending(store, PLAN, alone);
    const unmarked = await ofPlugins();
    expect(new Set(unmarked.features.map(({ value }) => value))).toEqual(new Set([""]));
    await applyPlanToStore(store, PLAN);
    await rebuildPending(store, PLAN, alone);
    expect(await ofPlugins()).toEqual(before);
  });

  it("and the rollups add up to the events, although each block was sent twice", async () => {
    expect(await compareWithEvents(store, PLAN)).toEqual([]);
    await store.command("ALTER TABLE usage_durations DROP PARTITION ID '202610'");
    const [found] = await compareWithEvents(store, PLAN);
    expect(found).toMatchObject({ month: 202610, rollup: "usage_durations", counted: 0 });
  });

  it("after a deletion, once the affected months are rebuilt", async () => {
    const gone = counted(period())
      .slice(0, 3)
      .map(({ id }) => id);
    messages = messages.filter(({ id }) => !gone.includes(id));
    await askForRebuild(store, await monthsWithRows(store));
    const ids = gone.map((id) => `'${id}'`).join(", ");
    await store.command(`ALTER TABLE events DELETE WHERE instance IN (${ids}) SETTINGS mutations_sync = 2`);
    await rebuildPending(store, PLAN, alone);
    expect(await compareWithEvents(store, PLAN)).toEqual([]);
    await expectEqual("zone=Asia/Kathmandu");
    await expectEqual("from=2026-09-01&to=2026-09-30");
  });

  it("and the rollups are empty for a month whose events were all deleted", async () => {
    messages = messages.filter(({ receivedMs }) => utcDay(receivedMs).slice(0, 7) !== "2026-09");
    await askForRebuild(store, [202609]);
    await store.command("ALTER TABLE events DROP PARTITION ID '202609'");
    await rebuildPending(store, PLAN, alone);
    const [row] = await store.query("SELECT count() AS rows FROM instance_days WHERE toYYYYMM(rd) = 202609");
    expect(Number(row?.rows)).toBe(0);
    await expectEqual("from=2026-08-20&to=2026-10-20");
  });
}
