import { expect, test } from "vitest";
import { renderCheck } from "../doctor.ts";
import { createColours } from "../terminal.ts";
import { checkFacts, formatBytes } from "./checks.ts";
import type { CollectorFacts, Facts, MachineFacts, PlaceFacts, PlanFacts } from "./facts.ts";

const GIB = 1024 ** 3;
const MACHINE: MachineFacts = {
  nodeVersion: "20.19.0",
  platform: "linux-x64",
  engine: { supported: true },
  nowMs: Date.UTC(2026, 0, 1, 12),
};
const STOPPED: PlaceFacts = {
  usesServer: false,
  plans: [{ file: "/p.yaml", fault: undefined, product: "Kitchen", version: 2, attention: [] }],
  folder: {
    path: "/d",
    state: "writable",
    mode: 0o700,
    keysMode: 0o600,
    keysFault: undefined,
    lock: "free",
    foreign: undefined,
  },
  disk: { freeBytes: 20 * GIB, logBytes: 0, storeBytes: 2048 },
  quarantines: [{ dir: "/d/quarantine", rows: [], cause: undefined }],
  listening: {
    url: "http://127.0.0.1:7226",
    host: "127.0.0.1",
    port: 7226,
    isOwn: true,
    answer: { kind: "silent", cause: "ECONNREFUSED", bindFault: undefined },
  },
  clones: undefined,
  servers: [],
};
const COLLECTOR: CollectorFacts = {
  kind: "collector",
  unready: undefined,
  aheadMs: 0,
  metrics: new Map([
    ["candor_store_up", 1],
    ["candor_log_pending_rows", 12],
    ["candor_log_oldest_seconds", 0.4],
    ["candor_engine_restarts", 0],
  ]),
};

const RUNNING: PlaceFacts = {
  ...STOPPED,
  folder: { ...STOPPED.folder, lock: "held" },
  listening: { ...STOPPED.listening, answer: COLLECTOR },
};

function collector(changes: Partial<CollectorFacts>, metrics: Record<string, number> = {}): PlaceFacts {
  const answer = {
    ...COLLECTOR,
    ...changes,
    metrics: new Map([...COLLECTOR.metrics, ...Object.entries(metrics)]),
  };
  return { ...RUNNING, listening: { ...RUNNING.listening, answer } };
}

function lines(facts: Partial<Facts>): string[] {
  const checks = checkFacts({ machine: MACHINE, settingsFaults: undefined, place: STOPPED, ...facts });
  return checks.map((check) => renderCheck(check, createColours(false)).trimEnd());
}

test("it reports a healthy machine", () => {
  expect(lines({})).toEqual([
    "ok    node        Node 20.19.0.",
    "ok    engine      The embedded store runs on linux-x64.",
    "ok    settings    The settings are valid.",
    "ok    plan        Kitchen, version 2 (/p.yaml).",
    "ok    data        /d is writable and not in use.",
    "ok    disk        20.0 GiB free; the log takes 0 B, the store 2.0 KiB.",
    "ok    collector   No Candor is running; port 7226 on 127.0.0.1 is free. `candor start` starts one.",
    "ok    store       Embedded: it opens with the collector.",
    "ok    quarantine  The store has rejected no rows.",
    "ok    clock       2026-01-01T12:00:00Z.",
  ]);
});

test("it reports a healthy collector", () => {
  expect(
    lines({ place: RUNNING }).filter((line) => /^\w+ +(data|collector|store|clock) /.test(line)),
  ).toEqual([
    "ok    data        /d is writable and used by a running Candor.",
    "ok    collector   Candor runs at http://127.0.0.1:7226 and accepts messages.",
    "ok    store       The store takes rows; rows waiting in the log: 12, the oldest for 0 s.",
    "ok    clock       2026-01-01T12:00:00Z, the same as the collector's.",
  ]);
});

test("invalid settings are listed, and what they point to is not checked", () => {
  expect(
    lines({ settingsFaults: "The settings cannot be used:\n  - one\n  - two", place: undefined }),
  ).toEqual([
    "ok    node        Node 20.19.0.",
    "ok    engine      The embedded store runs on linux-x64.",
    "FAIL  settings    The settings cannot be used:\n                    - one\n                    - two\n                  The plan, the data folder, the port and the store were not checked.",
    "ok    clock       2026-01-01T12:00:00Z.",
  ]);
});

const NO_ENGINE = { supported: false, platform: "linux-x64-musl", why: "it needs glibc" } as const;
const { folder, listening } = STOPPED;
const quarantine = { dir: "/d/quarantine", rows: [], cause: undefined };
const ROWS = ["1", "2", "3", "4"].map((id) => ({
  id: `s-${id}`,
  fault: id === "1" ? "TOO_LARGE" : "VIOLATED_CONSTRAINT",
  quarantinedAt: `2026-01-0${id}T00:00:00Z`,
}));

test.each<[string, Partial<Facts>, string]>([
  [
    "an old Node",
    { machine: { ...MACHINE, nodeVersion: "20.18.3" } },
    "FAIL  node        This is Node 20.18.3; Candor needs 20.19 or newer.",
  ],
  [
    "no engine",
    { machine: { ...MACHINE, engine: NO_ENGINE } },
    "FAIL  engine      The embedded store does not run here: it needs glibc.",
  ],
  [
    "no engine, and a server instead",
    { machine: { ...MACHINE, engine: NO_ENGINE }, place: { ...STOPPED, usesServer: true } },
    "ok    engine      The embedded store does not run here and is not needed",
  ],
  [
    "a clock that was never set",
    { machine: { ...MACHINE, nowMs: 0 } },
    "FAIL  clock       This machine's clock says 1970-01-01T00:00:00Z, which is in the past.",
  ],
  [
    "a collector's clock ahead",
    { place: collector({ aheadMs: 61_000 }) },
    "warn  clock       The collector's clock is 61 s ahead of this machine's",
  ],
  [
    "a collector's clock behind",
    { place: collector({ aheadMs: -7000 }) },
    "warn  clock       The collector's clock is 7 s behind this machine's",
  ],
  [
    "an unwritable folder",
    { place: { ...STOPPED, folder: { ...folder, state: { cause: "EACCES" } } } },
    "FAIL  data        The data folder /d cannot be written (EACCES). Give this user",
  ],
  [
    "a folder open to other users",
    { place: { ...STOPPED, folder: { ...folder, mode: 0o755 } } },
    "warn  data        Other users of this machine can open /d (mode 0755). Run: chmod 700 /d",
  ],
  [
    "keys open to other users",
    { place: { ...STOPPED, folder: { ...folder, keysMode: 0o644 } } },
    "warn  data        Other users of this machine can read the keys in /d (mode 0644). Run: chmod 600 /d/keys.json",
  ],
  [
    "keys that cannot be used",
    {
      place: {
        ...STOPPED,
        folder: { ...folder, keysFault: "The file /d/keys.json is not what Candor wrote." },
      },
    },
    "FAIL  data        The file /d/keys.json is not what Candor wrote.",
  ],
  [
    "reports that were compared with the events",
    {
      place: collector({}, { candor_rollups_compared_seconds: 1_795_748_400, candor_rollup_differences: 0 }),
    },
    "ok    reports     They equal the events, as compared at 2026-11-27 03:00 UTC.",
  ],
  [
    "reports that differ from the events",
    {
      place: collector({}, { candor_rollups_compared_seconds: 1_795_748_400, candor_rollup_differences: 2 }),
    },
    "FAIL  reports     What they read differs from the events in 2 sums, as compared at 2026-11-27 03:00 UTC. Run: candor rebuild",
  ],
  [
    "a folder that belongs to another user",
    { place: { ...STOPPED, folder: { ...folder, foreign: "/d belongs to user 7." } } },
    "FAIL  data        /d belongs to user 7.",
  ],
  [
    "a folder that cannot be locked",
    { place: { ...STOPPED, folder: { ...folder, lock: { why: "ENOLCK" } } } },
    "FAIL  data        /d cannot be locked (ENOLCK)",
  ],
  [
    "no folder yet",
    { place: { ...STOPPED, folder: { ...folder, state: "missing" } } },
    "ok    data        /d does not exist yet",
  ],
  [
    "a collector on another folder",
    { place: { ...RUNNING, folder } },
    "warn  data        The Candor at http://127.0.0.1:7226 uses another data folder than /d.",
  ],
  [
    "little space",
    { place: { ...STOPPED, disk: { freeBytes: GIB - 1, logBytes: 0, storeBytes: 0 } } },
    "warn  disk        1024 MiB free;",
  ],
  [
    "no space",
    { place: { ...STOPPED, disk: { freeBytes: GIB / 20, logBytes: 0, storeBytes: 0 } } },
    "FAIL  disk        51.2 MiB free; the log takes 0 B, the store 0 B. Free some space,",
  ],
  [
    "unknown space",
    { place: { ...STOPPED, disk: undefined } },
    "warn  disk        The system does not report free space.",
  ],
  [
    "a collector that cannot accept",
    { place: collector({ unready: "Its disk is full." }) },
    "FAIL  collector   Candor runs at http://127.0.0.1:7226 and cannot accept messages: Its disk is full.",
  ],
  [
    "another program on the port",
    { place: { ...STOPPED, listening: { ...listening, answer: { kind: "other", why: "status 404" } } } },
    "FAIL  collector   http://127.0.0.1:7226 is not a working Candor (status 404). Stop that program, or set CANDOR_PORT",
  ],
  [
    "a port that cannot be listened on",
    {
      place: {
        ...STOPPED,
        listening: {
          ...listening,
          answer: { kind: "silent", cause: "ECONNREFUSED", bindFault: "Port taken." },
        },
      },
    },
    "FAIL  collector   Port taken.",
  ],
  [
    "a collector elsewhere that does not answer",
    { place: { ...STOPPED, listening: { ...listening, isOwn: false } } },
    "FAIL  collector   Nothing answers at http://127.0.0.1:7226 (ECONNREFUSED). Start it, or correct CANDOR_URL.",
  ],
  [
    "a collector on the folder that does not answer",
    { place: { ...RUNNING, listening } },
    "warn  collector   Candor runs on this data folder, but nothing answers",
  ],
  [
    "a store that takes no rows",
    { place: collector({}, { candor_store_up: 0, candor_log_oldest_seconds: 90 }) },
    "FAIL  store       The store takes no rows; rows waiting in the log: 12, the oldest for 90 s. Messages are still accepted.",
  ],
  [
    "a store that lags",
    { place: collector({}, { candor_log_oldest_seconds: 90 }) },
    "warn  store       The store lags; rows waiting in the log: 12",
  ],
  [
    "an engine that was restarted",
    { place: collector({}, { candor_engine_restarts: 2 }) },
    "warn  store       The embedded store had to be restarted (2 times",
  ],
  [
    "servers that answer",
    { place: { ...STOPPED, usesServer: true, servers: [{ url: "http://a", fault: undefined }] } },
    "ok    store       ClickHouse answers at http://a.",
  ],
  [
    "a server that does not answer",
    {
      place: {
        ...STOPPED,
        usesServer: true,
        servers: [
          { url: "http://a", fault: undefined },
          { url: "http://b", fault: "ECONNREFUSED" },
        ],
      },
    },
    "FAIL  store       ClickHouse does not answer at http://b (ECONNREFUSED).",
  ],
  [
    "rows waiting in the log",
    { place: { ...STOPPED, disk: { freeBytes: 2 * GIB, logBytes: 5, storeBytes: 0 } } },
    "ok    store       Embedded: it opens with the collector, and the rows waiting in the log move into it.",
  ],
  [
    "rejected rows",
    { place: { ...STOPPED, quarantines: [{ ...quarantine, rows: ROWS }] } },
    "warn  quarantine  The store rejected 4 rows (1 TOO_LARGE, 3 VIOLATED_CONSTRAINT; newest: s-4, s-3, s-2). They are",
  ],
  [
    "rejected rows that cannot be read",
    { place: { ...STOPPED, quarantines: [{ ...quarantine, cause: "EACCES" }] } },
    "warn  quarantine  The rows in /d/quarantine could not be read: EACCES.",
  ],
])("it finds %s", (_name, facts, start) => {
  expect(lines(facts).filter((line) => line.startsWith(start))).toHaveLength(1);
});

test("it reports an unusable plan and one that needs attention", () => {
  const shown = (changes: Partial<PlanFacts>) =>
    lines({ place: { ...STOPPED, plans: STOPPED.plans.map((plan) => ({ ...plan, ...changes })) } }).filter(
      (line) => /^\w+ +plan/.test(line),
    );
  expect([shown({ fault: "The plan cannot be used:\na\nb" }), shown({ attention: ["c", "d"] })]).toEqual([
    ["FAIL  plan        The plan cannot be used:\n                  a\n                  b"],
    ["warn  plan        Kitchen, version 2 (/p.yaml).\n                  c\n                  d"],
  ]);
});

test("text from a file or a server cannot control the terminal", () => {
  const rows = [{ id: "s\u001b[2J", fault: "F\u001b]0;x\u0007", quarantinedAt: "" }];
  const shown = lines({ place: { ...STOPPED, quarantines: [{ ...quarantine, rows }] } }).join("");
  expect(shown).toContain("F\\u{1b}]0;x\\u{7}");
  expect(shown).not.toMatch(/\p{Cc}/u);
});

test("bytes are shown in powers of 1024", () => {
  expect([0, 1023, 1024, 150 * 1024, 1.5 * GIB].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "150 KiB",
    "1.5 GiB",
  ]);
});

test("copied instances are reported, and nothing when there are none", () => {
  const told = (clones: number): string[] =>
    lines({ place: { ...RUNNING, clones } }).filter((line) => line.includes("instance"));
  expect(told(0)).toEqual([]);
  expect(told(1)).toEqual([
    "warn  instances   1 instance sends from two places at once because its folder was copied; see GET /api/reports/instances.",
  ]);
  expect(told(7)).toEqual([
    "warn  instances   7 instances send from two places at once because their folders were copied; see GET /api/reports/instances.",
  ]);
});
