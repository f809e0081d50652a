import type { Field, Fields, FieldType, Plan, PlanEvent } from "@candor/plan";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bytesBelow } from "../rig/bytes-below.ts";
import { eventually } from "../rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { CONTACT_TARGET, EVENT_TARGET } from "../row.ts";
import type { Store } from "./client.ts";
import { applyPlanToStore, planColumns } from "./plan-columns.ts";

const DAY_MS = 86_400_000;
let real: TestStore;
let store: Store;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
});
afterAll(() => real.close());
beforeEach(async () => {
  await store.command("TRUNCATE TABLE events SYNC");
  await store.command("TRUNCATE TABLE contacts SYNC");
  await applyPlanToStore(store, planOf([]));
});

const ABOUT = {
  sensitivity: "technical",
  description: "A field.",
  example: undefined,
  since: 1,
  required: false,
  exception: undefined,
  column: true,
  fact: false,
  dimension: false,
  measure: undefined,
  keptWith: [],
} as const;
const field = (type: FieldType): Field => ({ ...ABOUT, ...type });
const text = (values?: readonly string[]): Field =>
  field({ type: "string", format: "text", maxLength: 9, enum: values, pattern: undefined, hash: false });
const NO_LIMITS = { minimum: undefined, maximum: undefined, buckets: undefined };
const integer = field({ type: "integer", ...NO_LIMITS });
const number = field({ type: "number", ...NO_LIMITS });
const boolean = field({ type: "boolean" });
const list = field({ type: "array", items: { type: "integer", ...NO_LIMITS }, maxItems: 9 });
const object = (fields: Fields): Field => field({ type: "object", fields });

const EVENT = {
  sources: ["server"],
  since: 1,
  why: "",
  owner: "",
  review: "",
  maxPerMinute: 1,
  routes: [],
  selector: undefined,
  heartbeat: false,
} as const;
const eventOf = (fields: Fields, type: PlanEvent["type"] = "track"): PlanEvent => ({
  ...EVENT,
  type,
  name: undefined,
  expires: undefined,
  consent: undefined,
  fields,
});

function planOf(events: readonly PlanEvent[], retentionDays = 3650): Plan {
  const source = {
    description: "",
    consent: "notice",
    mode: "enforce",
    ip: "drop",
    userAgent: "drop",
    context: {},
    ids: {},
    instanceIds: [],
  } as const;
  return {
    product: "P",
    contact: "c@example.org",
    version: 1,
    about: undefined,
    promises: [],
    turnOff: [],
    switches: { disable: ["P_OFF"], optIn: undefined },
    contacts: { retentionDays: 90 },
    changelog: [],
    sources: {
      installer: { ...source, retentionDays },
      server: { ...source, retentionDays: 3650 },
    },
    events,
  };
}

let token = 0;
async function insert(source: string, envelope: object, at = "2026-11-01T00:00:00.000"): Promise<void> {
  const json = JSON.stringify(envelope).replaceAll("\\", "\\\\");
  const line = [source, "track", "E", `m${token}`, "u", "", at, at, "0", "", "1", "0", "0", "[]", json].join(
    "\t",
  );
  await store.insertLines(EVENT_TARGET, Buffer.from(`${line}\n`), `token-${token++}`);
}

/** Reads the state that must not change when the same plan is applied again. */
async function schemaState(): Promise<unknown> {
  return [
    await store.query(
      "SELECT metadata_modification_time, engine_full FROM system.tables WHERE name = 'events'",
    ),
    await store.query("SELECT mutation_id FROM system.mutations"),
  ];
}

describe("a plan's columns", () => {
  it("are named after their paths, with a type that fits all events that have them", () => {
    const plan = planOf([
      eventOf({
        os: text(["a"]),
        n: integer,
        both: integer,
        mixed: boolean,
        deep: object({ x: { ...list } }),
      }),
      eventOf({
        os: text(),
        n: integer,
        both: number,
        mixed: list,
        deep_x: number,
        hidden: { ...text(), column: false },
      }),
      eventOf({ plan: text(["pro"]), "it's `a`\n{b:String}": boolean }, "identify"),
    ]);
    expect(planColumns(plan)).toEqual([
      { name: "properties_both", path: ["properties", "both"], type: "Nullable(Float64)" },
      { name: "properties_deep_x", path: ["properties", "deep", "x"], type: "Array(Int64)" },
      { name: "properties_deep_x_2", path: ["properties", "deep_x"], type: "Nullable(Float64)" },
      { name: "properties_mixed", path: ["properties", "mixed"], type: "String" },
      { name: "properties_n", path: ["properties", "n"], type: "Nullable(Int64)" },
      { name: "properties_os", path: ["properties", "os"], type: "String" },
      {
        name: "traits_it_s__a___b_String_",
        path: ["traits", "it's `a`\n{b:String}"],
        type: "Nullable(Bool)",
      },
      { name: "traits_plan", path: ["traits", "plan"], type: "LowCardinality(String)" },
    ]);
  });

  it("have values for rows stored before and after, and none where a value is absent or of another type", async () => {
    const hostile = "it's `a` \\ {b:String}";
    const full = {
      properties: { timeElapsed: 8, ratio: 0.5, ok: false, os: "ubuntu", list: [1, 2], deep: { x: "in" } },
      traits: { [hostile]: "odd" },
    };
    const wrong = {
      properties: { timeElapsed: "long", ratio: null, ok: 3, os: 7, list: "no", deep: [] },
      traits: [],
    };
    for (const envelope of [full, wrong, {}]) await insert("server", envelope);
    const properties = {
      timeElapsed: integer,
      ratio: number,
      ok: boolean,
      os: text(["ubuntu"]),
      list,
      deep: object({ x: text() }),
    };
    const plan = planOf([eventOf(properties), eventOf({ [hostile]: text() }, "identify")]);
    await applyPlanToStore(store, plan);
    for (const envelope of [full, wrong, {}]) await insert("server", envelope);
    const rows = await store.query(
      `SELECT ${planColumns(plan).map(({ name }) => name)} FROM events ORDER BY toUInt64(substring(messageId, 2))`,
    );
    const expected = {
      properties_deep_x: "in",
      properties_list: [1, 2],
      properties_ok: false,
      properties_os: "ubuntu",
      properties_ratio: 0.5,
      properties_timeElapsed: 8,
      traits_it_s__a_____b_String_: "odd",
    };
    const absent = {
      properties_deep_x: "",
      properties_list: [],
      properties_ok: null,
      properties_os: "",
      properties_ratio: null,
      properties_timeElapsed: null,
      traits_it_s__a_____b_String_: "",
    };
    const inexact = { ...absent, properties_ok: true, properties_os: "7" };
    const numbers = rows.map((row) => ({
      ...row,
      properties_list: (row.properties_list as unknown[]).map(Number),
      properties_timeElapsed: row.properties_timeElapsed === null ? null : Number(row.properties_timeElapsed),
    }));
    expect(numbers).toEqual([expected, inexact, absent, expected, inexact, absent]);
  });

  it("are left alone if they already match the plan", async () => {
    const plan = planOf([eventOf({ a: integer, b: text(), deep: object({ x: list }) })]);
    await applyPlanToStore(store, plan);
    const before = await schemaState();
    await applyPlanToStore(store, plan);
    expect(await schemaState()).toEqual(before);
  });

  it("follow the plan: a changed type, a name that now means another path, a removed field", async () => {
    await applyPlanToStore(store, planOf([eventOf({ a: text(), gone: text(), b_c: integer })]));
    await insert("server", { properties: { a: "17", gone: "x", b_c: 1, b: { c: 2 } } });
    await applyPlanToStore(store, planOf([eventOf({ a: number, b: object({ c: integer }) })]));
    await insert("server", { properties: { a: 4.5, gone: "x", b_c: 1, b: { c: 2 } } });
    const names = await store.query(
      "SELECT name, type FROM system.columns WHERE table = 'events' AND startsWith(name, 'properties_') ORDER BY name",
    );
    expect(names).toEqual([
      { name: "properties_a", type: "Nullable(Float64)" },
      { name: "properties_b_c", type: "Nullable(Int64)" },
    ]);
    const rows = await store.query(
      "SELECT properties_a AS a, toString(properties_b_c) AS c FROM events ORDER BY a",
    );
    expect(rows).toEqual([
      { a: 4.5, c: "2" },
      { a: 17, c: "2" },
    ]);
  });
});

describe("retention", () => {
  it("deletes what has expired by its source's retention, and leaves no bytes of it on disk", async () => {
    const rows = [
      ["installer", "EXPIRED-before", "2025-01-01T00:00:00.000"],
      ["server", "KEPT-server", "2025-01-01T00:00:00.000"],
      ["client", "KEPT-unnamed", "2025-01-01T00:00:00.000"],
      ["installer", "KEPT-new", `${new Date().toISOString().slice(0, 23)}`],
    ] as const;
    for (const [source, event, at] of rows) await insert(source, { event, noise: crypto.randomUUID() }, at);
    const contact = (day: string, name: string) => Buffer.from(`${day}\t1\t${name}\t{}\n`);
    await store.insertLines(CONTACT_TARGET, contact("2025-01-01", "EXPIRED-contact"), `c-${token++}`);
    const today = new Date().toISOString().slice(0, 10);
    await store.insertLines(CONTACT_TARGET, contact(today, "KEPT-contact"), `c-${token++}`);
    expect(bytesBelow(real.dir).includes("EXPIRED-before")).toBe(true);
    await applyPlanToStore(store, planOf([], 30));
    await insert("installer", { event: "EXPIRED-after" }, "2025-01-02T00:00:00.000");
    await store.command("OPTIMIZE TABLE events FINAL");
    const left = await eventually(
      async () =>
        await store.query(
          "SELECT left FROM (SELECT JSONExtractString(envelope, 'event') AS left FROM events UNION ALL SELECT contact AS left FROM contacts) ORDER BY left",
        ),
      (found) => found.length === 4,
    );
    expect(left).toEqual(
      ["KEPT-contact", "KEPT-new", "KEPT-server", "KEPT-unnamed"].map((name) => ({ left: name })),
    );
    const bytes = await eventually(
      async () => {
        // Dropping a partition that does not exist makes the store remove replaced parts now, and not only
        // after half a minute.
        for (const table of ["events", "contacts"])
          await store.command(`ALTER TABLE ${table} DROP PARTITION ID 'none'`);
        return bytesBelow(real.dir);
      },
      (found) => !found.includes("EXPIRED"),
    );
    expect(bytes.match(/EXPIRED-\w+/g)).toBeNull();
    // The engine compresses its files, so a longer word might not be found whole.
    expect(bytes.includes("KEPT")).toBe(true);
  }, 60_000);

  it("counts whole days: a row is deleted at the start of the day on which it would exceed its retention", async () => {
    const RETENTION_DAYS = { installer: 30, server: 3650, contacts: 90 };
    const today = await dayWithoutMidnight();
    const day = (daysAgo: number): string => new Date(today - daysAgo * DAY_MS).toISOString().slice(0, 10);
    const insertContact = (daysAgo: number, name: string): Promise<void> =>
      store.insertLines(CONTACT_TARGET, Buffer.from(`${day(daysAgo)}\t1\t${name}\t{}\n`), `edge-${token++}`);
    // A source that the plan does not name keeps its rows as long as the source that keeps them longest.
    for (const source of ["installer", "server", "client"] as const) {
      const days = RETENTION_DAYS[source === "client" ? "server" : source];
      await insert(source, { event: `${source}: in its first second` }, `${day(days - 1)}T00:00:00.000`);
      await insert(source, { event: `${source}: too old` }, `${day(days)}T23:59:59.999`);
    }
    await insertContact(RETENTION_DAYS.contacts - 1, "contact: on its last day");
    await insertContact(RETENTION_DAYS.contacts, "contact: too old");
    await applyPlanToStore(store, planOf([], RETENTION_DAYS.installer));
    for (const table of ["events", "contacts"]) await store.command(`OPTIMIZE TABLE ${table} FINAL`);
    const left = await eventually(
      () =>
        store.query(
          "SELECT left FROM (SELECT JSONExtractString(envelope, 'event') AS left FROM events UNION ALL SELECT contact AS left FROM contacts) ORDER BY left",
        ),
      (found) => found.length === 4,
    );
    expect(left.map((row) => row.left)).toEqual([
      "client: in its first second",
      "contact: on its last day",
      "installer: in its first second",
      "server: in its first second",
    ]);
  });
});

/** Returns the start of today in UTC. If midnight is less than a minute away, waits until it has passed. */
async function dayWithoutMidnight(): Promise<number> {
  const untilMidnightMs = DAY_MS - (Date.now() % DAY_MS);
  if (untilMidnightMs < 60_000) await new Promise((resolve) => setTimeout(resolve, untilMidnightMs));
  return Math.floor(Date.now() / DAY_MS) * DAY_MS;
}
