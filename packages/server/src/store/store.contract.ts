import { createHash } from "node:crypto";
import { ALONE, createIds, type Envelope, parseMessage, stampMessage, toIsoTime } from "@candor/envelope";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Source } from "../config.ts";
import { countEvents, readEvents } from "../query/events.ts";
import { type Filters, readFilters } from "../query/filters.ts";
import { CONTACT_TARGET, EVENT_TARGET, type RowAbout, toContactLine, toLine } from "../row.ts";
import { rowFaultOf, type Store } from "./client.ts";
import { listMigrations, migrate } from "./migrate.ts";

const RECEIVED_AT_MS = Date.parse("2026-03-01T12:00:00.000Z");
const ids = createIds({ hash: (text) => createHash("sha256").update(text).digest("hex") });
const filters = (query: string): Filters => readFilters(new URLSearchParams(query), []);

interface Stored {
  readonly source: Source;
  readonly envelope: Envelope;
  readonly text: string;
}

function event(
  messageId: string,
  more: object = {},
  source: Source = "server",
  atMs = RECEIVED_AT_MS,
): Stored {
  const item: unknown = JSON.parse(
    JSON.stringify({ type: "track", event: "Opened", userId: "u1", messageId, ...more }),
  );
  const message = parseMessage(item, ALONE);
  if (typeof message === "string") throw new Error(message);
  const received = { receivedAtMs: atMs, receivedAt: toIsoTime(atMs), retryCount: 0, peerAddress: undefined };
  const envelope = stampMessage(message, received, ids);
  return { source, envelope, text: JSON.stringify(envelope) };
}

/** What the plan's check recorded, for events in tests where this does not matter. */
const CHECKED = { country: undefined, planVersion: 3, sentPlanVersion: 0, skipped: 0, trimmed: [] };

function block(events: readonly Stored[], checked: Omit<RowAbout, "source" | "sequence"> = CHECKED): Buffer {
  return Buffer.from(
    events
      .map(({ source, envelope, text }, sequence) => toLine({ source, sequence, ...checked }, envelope, text))
      .join(""),
  );
}

/** Builds a line without parsing a message, because parsing would take most of the time for a large block. */
function toLineOf(messageId: string, event: string): string {
  const receivedAt = toIsoTime(RECEIVED_AT_MS);
  const envelope = { type: "track", messageId, timestamp: receivedAt, receivedAt, event } as Envelope;
  return toLine({ source: "server", sequence: 0, ...CHECKED }, envelope, JSON.stringify(envelope));
}

/**
 * Defines the tests that every store must pass. They run for the embedded engine and for a cluster of
 * servers.
 */
export function describeStoreContract(open: () => Promise<Store>): void {
  let store: Store;
  const read = async (
    query: string,
    limit = 100,
    cursor?: string,
  ): Promise<{ events: Record<string, unknown>[]; next: string | null }> =>
    JSON.parse(await readEvents(store, filters(query), limit, cursor));

  beforeAll(async () => {
    store = await open();
    await migrate(store);
  });
  afterAll(() => store.close());

  it("can be migrated to the same schema repeatedly without harm", async () => {
    await migrate(store);
    await migrate(store);
  });

  it("rejects a newer schema, and a changed migration", async () => {
    const migrations = listMigrations();
    const [first, ...rest] = migrations;
    if (first === undefined) throw new Error("no migrations");
    await expect(migrate(store, [])).rejects.toMatchObject({ code: "schema_newer" });
    await expect(migrate(store, [{ ...first, sql: `${first.sql} ` }, ...rest])).rejects.toMatchObject({
      code: "schema_changed",
    });
  });

  it("returns an envelope byte for byte, whatever it contains", async () => {
    const hostile = [
      { event: "tab\there", userId: "line\nbreak", properties: { text: "back\\slash \\N \\t" } },
      { event: "\\N", userId: "\u0000nul\u0008\u000c", anonymousId: "\r" },
      {
        properties: {
          emoji: "😀",
          lone: "\ud800",
          quote: `"'\u2028`,
          __proto__: 1,
          "a.b": { c: null },
          big: 2 ** 60,
        },
      },
      { properties: JSON.parse('{"__proto__":{"x":1},"":"empty key"}'), context: { ip: "2001:db8::1" } },
      { event: "é".repeat(100), timestamp: "2299-01-01T00:00:00Z", traits: { a: [] } },
      { timestamp: "1900-01-01T00:00:00Z" },
    ];
    const events = hostile.map((more, n) => event(`hostile-${n}`, more, "client", RECEIVED_AT_MS + 1000 - n));
    await store.insertLines(EVENT_TARGET, block(events), "hostile");
    const page = JSON.parse(await readEvents(store, filters("source=client"), 100, undefined));
    const expected = events.map(({ text }) => ({
      ...JSON.parse(text),
      candor: { source: "client", planVersion: 3 },
    }));
    expect(page.events).toEqual(expected);
    for (const { envelope } of events) {
      const query = new URLSearchParams({
        source: "client",
        event: envelope.event ?? "",
        userId: envelope.userId ?? "",
      });
      expect(await countEvents(store, filters(query.toString()))).toBeGreaterThan(0);
    }
  });

  it("returns what Candor itself stores about an event, without empty fields", async () => {
    const checked = [
      {
        country: "DE",
        planVersion: 12,
        sentPlanVersion: 11,
        skipped: 4_000_000_000,
        trimmed: ["properties.*", "it's 'quoted' \\\t\n [x]"],
      },
      { country: undefined, planVersion: 4_000_000_000, sentPlanVersion: 0, skipped: 0, trimmed: [] },
    ];
    for (const [n, about] of checked.entries()) {
      await store.insertLines(
        EVENT_TARGET,
        block([event(`checked-${n}`, { event: "Judged" })], about),
        `checked-${n}`,
      );
    }
    const { events } = await read("event=Judged");
    expect(events.map(({ candor }) => candor)).toEqual([
      { source: "server", planVersion: 4_000_000_000 },
      {
        source: "server",
        country: "DE",
        planVersion: 12,
        sentPlanVersion: 11,
        skipped: 4_000_000_000,
        trimmed: checked[0]?.trimmed,
      },
    ]);
  });

  it("keeps contacts only in their own table, each block once", async () => {
    const contact = {
      contact: "ann\t'@example.org",
      about: { error: '\\n disk "full"', os: "ubuntu", tries: 2 },
    };
    const line = toContactLine(contact, "2026-03-01T12:34:56.789Z", 281_474_976_710_655);
    for (let time = 0; time < 2; time++)
      await store.insertLines(CONTACT_TARGET, Buffer.from(line), "block-contacts");
    const rows = await store.query("SELECT day, toString(shuffle) AS shuffle, contact, about FROM contacts");
    expect(rows).toEqual([
      {
        day: "2026-03-01",
        shuffle: "281474976710655",
        contact: contact.contact,
        about: JSON.stringify(contact.about),
      },
    ]);
    const [row] = await store.query("SELECT count() AS rows FROM events WHERE position(envelope, 'ann') > 0");
    expect(Number(row?.rows)).toBe(0);
  });

  it("inserts objects as rows, and equal ones repeatedly", async () => {
    const count = {
      day: "2026-03-01",
      source: "server",
      event: "*",
      path: "",
      reason: "r",
      count: 2,
      planVersion: 3,
    };
    await store.insertRows("plan_counts", [count, { ...count, path: "properties.*" }]);
    await store.insertRows("plan_counts", [count]);
    const rows = await store.query(
      "SELECT path, sum(count) AS count FROM plan_counts GROUP BY path ORDER BY path",
    );
    expect(rows.map((row) => [row.path, Number(row.count)])).toEqual([
      ["", 4],
      ["properties.*", 2],
    ]);
  });

  it("stores a block once, however often it is inserted with its token", async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => event(`token-${n}`, { event: "Token" }));
    for (let time = 0; time < 3; time++) await store.insertLines(EVENT_TARGET, block(rows), "block-1");
    await store.insertLines(EVENT_TARGET, block(rows.map((row) => row)), "block-2");
    const [row] = await store.query("SELECT count() AS rows FROM events WHERE event = 'Token'");
    expect(Number(row?.rows)).toBe(2000);
    expect(await countEvents(store, filters("event=Token"))).toBe(1000);
  });

  it("stores the block of a full segment file as a whole, once per token, or not at all", async () => {
    const rows = Buffer.from(
      Array.from({ length: 50_000 }, (_, n) => toLineOf(`large-${n}`, "Large")).join(""),
    );
    const bad = Buffer.concat([rows, Buffer.from("only\ttwo cells\n")]);
    await expect(store.insertLines(EVENT_TARGET, bad, "large-bad")).rejects.toThrow();
    expect(await countEvents(store, filters("event=Large"))).toBe(0);
    for (let time = 0; time < 2; time++) await store.insertLines(EVENT_TARGET, rows, "large");
    const [row] = await store.query("SELECT count() AS rows FROM events WHERE event = 'Large'");
    expect(Number(row?.rows)).toBe(50_000);
  });

  it("rejects a whole block for one bad row, and blames the rows", async () => {
    const good = event("good-1", { event: "Rejected" });
    const bad = Buffer.concat([block([good]), Buffer.from("only\ttwo cells\n")]);
    const error: unknown = await store
      .insertLines(EVENT_TARGET, bad, "bad")
      .catch((reason: unknown) => reason);
    expect(rowFaultOf(error)).toBeDefined();
    expect(await countEvents(store, filters("event=Rejected"))).toBe(0);
  });

  it("finds events by any column and any path", async () => {
    const rows = [
      event("find-1", { type: "identify", traits: { plan: "pro" }, userId: "find" }),
      event("find-2", {
        event: "Found",
        anonymousId: "an",
        properties: { a: { b: "deep" }, n: 8, t: true, z: null, e: "" },
      }),
      event("find-3", {
        event: "Found",
        properties: {
          "a.b": "dotted",
          list: [{ name: "first" }],
          n: "8",
          tags: ["blue", "red"],
          first: "PG",
        },
      }),
      event("find-4", {
        event: "Found",
        context: { os: { name: "it's 'quoted' \\ {p0:String}" } },
        timestamp: "2025-01-01T00:00:00Z",
      }),
    ];
    await store.insertLines(EVENT_TARGET, block(rows), "find");
    const cases: Record<string, string[]> = {
      "messageId=find-1": ["find-1"],
      "type=identify&userId=find": ["find-1"],
      "traits.plan=pro": ["find-1"],
      "event=Found&anonymousId=an": ["find-2"],
      "properties.a.b=deep": ["find-2"],
      "properties.a.b=dotted": ["find-3"],
      "properties.a\\.b=dotted": ["find-3"],
      "event=Found&properties.n=8": ["find-2", "find-3"],
      "properties.t=true": ["find-2"],
      "event=Found&properties.z=null": ["find-2"],
      "event=Found&properties.e=": ["find-2"],
      "properties.list.0.name=first": ["find-3"],
      "properties.tags=red": ["find-3"],
      "properties.tags.1=red": ["find-3"],
      "properties.0=PG": [],
      "event=Found&properties.n=8.0": ["find-2"],
      "event=Found&to=2025-06-01T00:00:00Z": ["find-4"],
      "event=Found&from=2025-06-01T00:00:00%2B02:00": ["find-2", "find-3"],
      "properties.a=missing": [],
      "event=Found&properties.missing=": [],
    };
    for (const [query, expected] of Object.entries(cases)) {
      const { events } = await read(query);
      expect([query, events.map(({ messageId }) => messageId).sort()]).toEqual([query, expected]);
    }
    const quoted = new URLSearchParams({ "context.os.name": "it's 'quoted' \\ {p0:String}" });
    expect(await countEvents(store, filters(quoted.toString()))).toBe(1);
  });

  it("pages through all events once, newest first, while more arrive", async () => {
    const at = (n: number): number => RECEIVED_AT_MS + 100_000 + Math.floor(n / 7); // several in one millisecond
    const rows = Array.from({ length: 100 }, (_, n) =>
      event(`page-${(n * 37) % 100}`, { event: "Paged" }, n % 2 ? "server" : "installer", at(n)),
    );
    await store.insertLines(EVENT_TARGET, block(rows), "page");
    const seen: unknown[] = [];
    let cursor: string | undefined;
    for (let page = 0; cursor !== undefined || page === 0; page++) {
      const { events, next } = await read("event=Paged", 9, cursor);
      seen.push(...events.map(({ messageId }) => messageId));
      cursor = next ?? undefined;
      await store.insertLines(
        EVENT_TARGET,
        block([event(`late-${page}`, { event: "Paged" }, "server", at(200))]),
        `late-${page}`,
      );
    }
    expect(seen).toEqual(rows.map(({ envelope }) => envelope.messageId).reverse());
  });
}
