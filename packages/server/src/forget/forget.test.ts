import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPlan } from "@candor/plan";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAppendLog } from "../log/append-log.ts";
import { readContacts } from "../query/contacts.ts";
import { exclude, listExclusions } from "../reports/exclusions.ts";
import { bytesBelow } from "../rig/bytes-below.ts";
import { APPSMITH_PLAN } from "../rig/in-process.ts";
import { startStoreForTest, type TestStore, withLongRetention } from "../rig/real-store.ts";
import { rowLine } from "../rig/row-line.ts";
import { CONTACT_TARGET, EVENT_TARGET, escapeAll, toContactLine } from "../row.ts";
import { openStore, type Store } from "../store/client.ts";
import { createAlone, startDrain } from "../store/drain.ts";
import { createInserter } from "../store/inserter.ts";
import { applyPlanToStore } from "../store/plan-columns.ts";
import { openQuarantine } from "../store/quarantine.ts";
import { askForRebuild, rebuildPending } from "../store/rollups.ts";
import { createForget, type ForgetDependencies, type ForgetReceipt, readForgetRequest } from "./forget.ts";
import type { ForgetRequest } from "./forget-request.ts";

const PLAN = loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), APPSMITH_PLAN);
let real: TestStore;
let store: Store;
let deps: ForgetDependencies;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
  await applyPlanToStore(store, withLongRetention(PLAN));
});
afterAll(() => real.close());
beforeEach(async () => {
  for (const table of ["events", "contacts"]) await store.command(`TRUNCATE TABLE ${table} SYNC`);
  const dir = mkdtempSync(join(real.dir, "data-"));
  const [logDir, quarantineDir] = [join(dir, "log"), join(dir, "quarantine")];
  mkdirSync(logDir);
  mkdirSync(quarantineDir);
  deps = {
    store,
    log: { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) },
    logDir,
    quarantineDir,
    rollups: {
      noteMonths: (months) => askForRebuild(store, months),
      rebuild: () => rebuildPending(store, PLAN, (task) => task()),
    },
    storedForms: (id) => [id, `hashed-${id}`],
    plan: () => PLAN,
    now: () => NOW_MS,
  };
});

const NOW_MS = Date.parse("2026-03-02T00:00:00.000Z");
const TIME = "2026-03-01T12:00:00.000";
let token = 0;

interface Row {
  readonly id: string;
  readonly type?: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly time?: string;
  readonly envelope?: object;
}

function line({
  id,
  type = "track",
  userId = "",
  anonymousId = "",
  time = TIME,
  envelope = {},
}: Row): string {
  const json = JSON.stringify({ messageId: id, ...envelope });
  return rowLine({
    type,
    messageId: id,
    userId,
    anonymousId,
    timestamp: time,
    receivedAt: time,
    envelope: json,
  });
}
const insert = (rows: readonly Row[]): Promise<void> =>
  store.insertLines(EVENT_TARGET, Buffer.from(rows.map(line).join("")), `token-${token++}`);
const insertContact = (contact: string, day = "2026-03-01", about = {}): Promise<void> =>
  store.insertLines(
    CONTACT_TARGET,
    Buffer.from(toContactLine({ contact, about }, `${day}T00:00:00.000Z`, token)),
    `token-${token++}`,
  );

async function storedIds(): Promise<string[]> {
  const rows = await store.query("SELECT messageId FROM events ORDER BY messageId");
  return rows.map((row) => String(row.messageId));
}

const forget = (request: ForgetRequest, more: Partial<ForgetDependencies> = {}): Promise<ForgetReceipt> =>
  createForget({ ...deps, ...more })(request);

const rowsOf = ({ removed }: ForgetReceipt): object =>
  Object.fromEntries(removed.map(({ where, rows }) => [where, rows]));

/** Values that the store cannot parse, each for a different reason. */
const BROKEN = [
  '"Support \\ud83d"',
  "1180591620717411303424",
  "1e999",
  "[".repeat(2000) + "]".repeat(2000),
  '{"a":',
];

describe("forgetting", () => {
  it("issues no receipt if the store was restarted meanwhile, because it then has deleted nothing", async () => {
    const envelope = { properties: { instanceId: "restarted" } };
    await store.insertLines(EVENT_TARGET, Buffer.from(line({ id: "kept", envelope })), `token-${token++}`);
    // A restart empties the table of ids, which is in memory, before the mutation reads it.
    const restarting: Store = {
      ...store,
      command: async (sql) => {
        if (sql.includes("DELETE IN PARTITION")) await store.command("TRUNCATE TABLE forgetting");
        await store.command(sql);
      },
    };
    const request = createForget({ ...deps, store: restarting })({ instance: "restarted" });
    await expect(request).rejects.toMatchObject({
      code: "forget_incomplete",
      message: expect.stringContaining("because the store was restarted"),
    });
    expect((await forget({ instance: "restarted" })).removed).toContainEqual({ where: "events", rows: 1 });
  });

  it("deletes the rows with an instance's id in a field that the plan names, and no others", async () => {
    const id = 'it\'s \\ "i1"';
    const own = [
      { type: "track", properties: { instanceId: id } },
      { type: "identify", traits: { instanceId: id } },
      { type: "group", traits: { instanceId: id } },
    ];
    const others = [
      { context: { instanceId: id } },
      { properties: { instanceId: `${id}0` } },
      { properties: { other: id, deep: { instanceId: id } } },
      { instanceId: id },
    ];
    const escaped = (value: string): string => value.replaceAll("\\", "\\\\");
    const rows = [...own, ...others].map((envelope, n) =>
      line({ id: `${n}`, type: "type" in envelope ? envelope.type : "track" }).replace(
        /\{.*/,
        escaped(JSON.stringify(envelope)),
      ),
    );
    rows.push(line({ id: "user", userId: `hashed-${escaped(id)}` }));
    rows.push(line({ id: "anonymous", anonymousId: escaped(id) }));
    await store.insertLines(EVENT_TARGET, Buffer.from(rows.join("")), `token-${token++}`);
    const receipt = await forget({ instance: id });
    expect(receipt).toEqual({
      forgotten: { instance: id },
      requestedAt: "2026-03-02T00:00:00.000Z",
      completedAt: "2026-03-02T00:00:00.000Z",
      removed: [
        { where: "events", rows: 4 },
        { where: "quarantine", rows: 0 },
        { where: "copies of damaged segments", rows: 0 },
      ],
      notes: [
        expect.stringContaining("in 3 other rows"),
        expect.stringContaining("requestedAt"),
        expect.stringContaining("hashes"),
        expect.stringContaining("Backups"),
        expect.stringContaining("gateway"),
        expect.stringContaining("Contacts"),
      ],
    });
    expect(await storedIds()).toEqual(["3", "4", "5", "6", "user"]);
  });

  it("deletes a user's rows by every stored form of the id, in every field that can hold a user's id", async () => {
    await insert([
      { id: "a", userId: "u1" },
      { id: "b", anonymousId: "u1" },
      { id: "c", userId: "hashed-u1" },
      { id: "d", type: "alias", userId: "u2", envelope: { previousId: "hashed-u1" } },
      { id: "e", userId: "u10" },
      { id: "f", userId: "U1" },
      { id: "g", userId: "u2", envelope: { previousId: "u1" } },
      { id: "h", type: "group", userId: "u2", envelope: { groupId: "u1" } },
      { id: "i", userId: "u2", envelope: { properties: { previousId: "u1" } } },
    ]);
    const receipt = await forget({ user: "u1" });
    expect(rowsOf(receipt)).toMatchObject({ events: 5 });
    expect(receipt.notes).toContainEqual(expect.stringContaining("in 2 other rows"));
    expect(await storedIds()).toEqual(["e", "f", "h", "i"]);
  });

  it("reports 0 rows for a user whose id was hashed, and how to find the hash", async () => {
    const receipt = await forget({ user: "ada" });
    expect(receipt.notes[0]).toBe("Nothing was found under this user id.");
    expect(receipt.notes).toContainEqual(expect.stringContaining("`npx @candor/node inspect DIR --hash`"));
  });

  it("finds rows that the store's JSON reader rejects as a whole", async () => {
    const ids = { instance: "6f0d2f6c-instance", user: 'ada "\\ \u00e9' };
    const texts = BROKEN.flatMap((broken) => [
      `{"properties":{"instanceId":${JSON.stringify(ids.instance)},"x":${broken}}}`,
      `{"previousId":${JSON.stringify(ids.user)},"properties":{"x":${broken}}}`,
      `{"properties":{"instanceId":"6f0d2f6c-instance-2","x":${broken}},"previousId":"ada"}`,
    ]);
    const rows = texts.map((text, n) => line({ id: `${n}` }).replace(/\{.*\}/, () => escapeAll(text)));
    await store.insertLines(EVENT_TARGET, Buffer.from(rows.join("")), `token-${token++}`);
    const forgetTogether = createForget(deps);
    const receipts = await Promise.all([
      forgetTogether({ instance: ids.instance }),
      forgetTogether({ user: ids.user }),
    ]);
    expect(receipts.map(rowsOf)).toEqual(
      BROKEN.slice(0, 2).map(() => expect.objectContaining({ events: 5 })),
    );
    expect(await storedIds()).toEqual(["11", "14", "2", "5", "8"]);
  });

  it("deletes the maker's exclusion of an instance, and of no other instance", async () => {
    for (const instance of ["own-machine", "other-machine"])
      await exclude(store, { who: { instance }, reason: "ours", isExcluded: true }, NOW_MS, String);
    await forget({ instance: "own-machine" });
    expect(await listExclusions(store)).toEqual([{ instance: "other-machine", reason: "ours" }]);
    expect(bytesBelow(real.dir)).not.toContain("own-machine");
  });

  it("deletes a contact in upper or lower case, and does not repeat the address", async () => {
    await insertContact("Ann@Example.org");
    await insertContact("ÄNN@example.org");
    await insertContact("ann@example.org.invalid", "2026-03-02", { os: "ubuntu" });
    const receipt = await forget({ contact: "ann@EXAMPLE.org" });
    expect(rowsOf(receipt)).toMatchObject({ contacts: 1 });
    expect(JSON.stringify(receipt).toLowerCase()).not.toContain("ann@");
    expect(await readContacts(store, 10)).toEqual([
      { day: "2026-03-02", contact: "ann@example.org.invalid", os: "ubuntu" },
      { day: "2026-03-01", contact: "ÄNN@example.org" },
    ]);
    expect(await readContacts(store, 1)).toHaveLength(1);
  });

  it("reports 0 rows for an unknown id", async () => {
    await insert([{ id: "a", userId: "u1" }]);
    for (const request of [{ instance: "none" }, { user: "none" }, { contact: "none" }]) {
      const receipt = await forget(request);
      expect(receipt.removed.map(({ rows }) => rows)).toEqual(receipt.removed.map(() => 0));
    }
    expect(await storedIds()).toEqual(["a"]);
  });

  it("leaves no forgotten byte on disk, not even in the store's own record of the deletion", async () => {
    const marker = "MARKER-5d1e";
    await insert([
      { id: "a", userId: marker, envelope: { properties: { instanceId: marker } } },
      { id: "b", userId: "KEPT-77aa" },
    ]);
    await insertContact(`${marker}@example.org`);
    expect(bytesBelow(real.dir).includes(marker)).toBe(true);
    await forget({ contact: `${marker}@example.org` }, deps);
    await forget({ instance: marker });
    await forget({ user: marker });
    const bytes = bytesBelow(real.dir);
    expect(bytes.includes(marker)).toBe(false);
    expect(bytes.includes("KEPT-77aa")).toBe(true);
    expect(await store.query("SELECT * FROM candor.forgetting")).toEqual([]);
  }, 60_000);

  it("waits until the log is drained, and deletes rows that were quarantined meanwhile", async () => {
    const log = await openAppendLog({ dir: deps.logDir, keepKeys: async () => {} });
    const quarantine = openQuarantine(deps.quarantineDir);
    const lines = [
      line({ id: "a", userId: "u1" }),
      "server\ttrack\tbroken\tu1\n",
      line({ id: "b", userId: "u2" }),
      "server\ttrack\tbroken\tu10\n",
    ];
    await log.append(new Uint32Array(2 * lines.length).fill(1), lines.join(""));
    const drain = startDrain({
      log,
      inserter: createInserter(store, quarantine),
      alone: createAlone(),
      prepare: async () => {},
      onFatal: () => {},
      onStoreChange: () => {},
      meters: { countDrained: () => {}, countInsertRetry: () => {}, countQuarantined: () => {} },
      lingerMs: 300,
    });
    const receipt = await forget({ user: "u1" }, { log, now: Date.now });
    expect(rowsOf(receipt)).toEqual({ events: 1, quarantine: 1, "copies of damaged segments": 0 });
    expect(await storedIds()).toEqual(["b"]);
    expect(readdirSync(deps.quarantineDir)).toHaveLength(1);
    await drain.close(1000);
  });

  it("deletes only those copies of damaged segment files that contain the id", async () => {
    const files = {
      [join(deps.logDir, "1.open.damaged")]: line({ id: "a", userId: "u1" }),
      [join(deps.logDir, "2.open.damaged")]: line({ id: "a", userId: "u10" }),
      [join(deps.logDir, "3.open")]: line({ id: "a", userId: "u1" }),
      [join(deps.quarantineDir, "1.damaged")]: `${line({ id: "a" })}torn \ufffd {"userId":"u1"`,
      [join(deps.quarantineDir, "2.unreadable")]: toContactLine(
        { contact: "Ann@example.org", about: {} },
        TIME,
        1,
      ),
    };
    for (const [path, content] of Object.entries(files)) writeFileSync(path, content);
    expect(rowsOf(await forget({ user: "u1" }))).toMatchObject({ "copies of damaged segments": 2 });
    expect(readdirSync(deps.logDir).sort()).toEqual(["2.open.damaged", "3.open"]);
    expect(readdirSync(deps.quarantineDir)).toEqual(["2.unreadable"]);
    const receipt = await forget({ contact: "ann@example.org" });
    expect(rowsOf(receipt)).toMatchObject({ "copies of damaged segments": 1 });
  });

  it("keeps no request to the store open during a long deletion", async () => {
    await insert([{ id: "a", userId: "u1" }]);
    await store.command("SYSTEM STOP MERGES candor.events"); // stops mutations too
    const command: Store["command"] = async (sql, database) => {
      await store.command(sql, database);
      if (sql.startsWith("ALTER TABLE events DELETE"))
        await store.command("SYSTEM START MERGES candor.events");
    };
    const receipt = await forget({ user: "u1" }, { store: { ...store, command } });
    expect(rowsOf(receipt)).toMatchObject({ events: 1 });
  });

  it("issues no receipt while rows are left, or while the store is away", async () => {
    await insert([{ id: "a", userId: "u1" }]);
    const deaf: Store = {
      ...store,
      command: async (sql) => (sql.startsWith("ALTER TABLE events DELETE") ? undefined : store.command(sql)),
    };
    await expect(forget({ user: "u1" }, { store: deaf })).rejects.toMatchObject({
      code: "forget_incomplete",
      message: expect.stringContaining("rows in events"),
    });
    const away = openStore({ socketPath: join(real.dir, "nothing.sock") });
    await expect(forget({ user: "u1" }, { store: away })).rejects.toMatchObject({
      code: "store_away",
    });
    await away.close();
    expect(await storedIds()).toEqual(["a"]);
  });
});

describe("simultaneous requests to forget", () => {
  const mutations = async (table: string): Promise<Set<string>> => {
    const rows = await store.query(
      "SELECT mutation_id AS id FROM system.mutations WHERE table = {table:String}",
      { table },
    );
    return new Set(rows.map(({ id }) => String(id)));
  };
  const inMonth = (n: number): string => `2026-0${1 + (n % 3)}-01T12:00:00.000`;

  it("are served in at most two rounds, each with one deletion per table; every request gets its own receipt", async () => {
    const users = Array.from({ length: 12 }, (_, n) => n);
    const rows = users.flatMap((n) => [
      ...Array.from({ length: n }, (_, m) => ({ id: `${n}-${m}`, userId: `u${n}`, time: inMonth(m) })),
      { id: `i${n}`, time: inMonth(n), envelope: { properties: { instanceId: `instance-${n}` } } },
      { id: `both${n}`, userId: `u${n}`, envelope: { properties: { instanceId: `instance-${n}` } } },
    ]);
    await insert([...rows, { id: "kept", userId: "u" }]);
    await insertContact("ann@example.org");
    const [before, contactsBefore] = [await mutations("events"), await mutations("contacts")];
    const forgetTogether = createForget(deps);
    const startedAtMs = performance.now();
    const [contact, ...receipts] = await Promise.all([
      forgetTogether({ contact: "ann@example.org" }),
      ...users.map((n) => forgetTogether({ user: `u${n}` })),
      ...users.map((n) => forgetTogether({ instance: `instance-${n}` })),
    ]);
    expect(rowsOf(contact)).toMatchObject({ contacts: 1 });
    expect(receipts.map(({ forgotten }) => forgotten)).toEqual([
      ...users.map((n) => ({ user: `u${n}` })),
      ...users.map((n) => ({ instance: `instance-${n}` })),
    ]);
    expect(receipts.map(rowsOf)).toEqual(
      [...users.map((n) => n + 1), ...users.map(() => 2)].map((events) =>
        expect.objectContaining({ events }),
      ),
    );
    expect(await storedIds()).toEqual(["kept"]);
    expect((await mutations("events")).size - before.size).toBeLessThanOrEqual(2);
    expect((await mutations("contacts")).size - contactsBefore.size).toBe(1);
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });

  it("fill a round up to the store's limit", async () => {
    let begin: (rows: never[]) => void = () => {};
    const held = new Promise<never[]>((resolve) => {
      begin = resolve;
    });
    const query: Store["query"] = (sql, params) => (sql === "SELECT 1" ? held : store.query(sql, params));
    const storedForms = (id: string): string[] => [id, `b${id}`, `c${id}`, `d${id}`];
    const hash = (n: number): string => String(n).padStart(2, "0").padEnd(64, "0");
    const forgetTogether = createForget({ ...deps, store: { ...store, query }, storedForms });
    await insert([{ id: "a", userId: "x", envelope: { previousId: `d${hash(30).slice(0, 32)}` } }]);
    const before = await mutations("events");
    const waiting = Array.from({ length: 31 }, (_, n) => forgetTogether({ user: hash(n) }));
    begin([]);
    const receipts = await Promise.all(waiting);
    expect(receipts.map(({ removed }) => removed[0]?.rows)).toEqual([...Array(30).fill(0), 1]);
    expect((await mutations("events")).size - before.size).toBe(1);
  });

  it("are refused if too many are waiting, and all fail if the store is away", async () => {
    let fail: (error: Error) => void = () => {};
    const query: Store["query"] = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const forgetTogether = createForget({ ...deps, store: { ...store, query } });
    const first = forgetTogether({ user: "first" });
    const waiting = Array.from({ length: 200 }, (_, n) => forgetTogether({ user: `u${n}` }));
    await expect(forgetTogether({ user: "one more" })).rejects.toMatchObject({
      code: "forget_busy",
      status: 503,
      retryAfterS: 60,
    });
    const outcomes = Promise.allSettled([first, ...waiting]);
    for (let round = 0; round < 8; round++) {
      fail(new Error("away"));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(new Set((await outcomes).map(({ status }) => status))).toEqual(new Set(["rejected"]));
  });
});

describe("a request to forget", () => {
  it("names exactly one of instance, user and contact", () => {
    expect(readForgetRequest({ instance: "i" })).toEqual({ instance: "i" });
    expect(readForgetRequest({ user: "u" })).toEqual({ user: "u" });
    expect(readForgetRequest({ contact: "c" })).toEqual({ contact: "c" });
    const wrong = [
      undefined,
      null,
      [],
      "user",
      {},
      { user: "" },
      { user: 1 },
      { user: "u", contact: "c" },
      { event: "e" },
      { user: "u".repeat(1025) },
    ];
    for (const body of wrong) {
      expect(() => readForgetRequest(body)).toThrowError(expect.objectContaining({ code: "query_invalid" }));
    }
  });
});
