import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, startEngine } from "@candor/engine";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAppendLog } from "../log/append-log.ts";
import { readContacts } from "../query/contacts.ts";
import { openStore, type Store } from "../store/client.ts";
import { startDrain } from "../store/drain.ts";
import { createInserter } from "../store/inserter.ts";
import { migrate } from "../store/migrate.ts";
import { CONTACT_TARGET, EVENT_TARGET, toContactLine } from "../store/row.ts";
import { openSetAside } from "../store/set-aside.ts";
import { type ForgetDependencies, type ForgetReceipt, forget, readForgetRequest } from "./forget.ts";

const root = mkdtempSync(join(tmpdir(), "candor-forget-"));
let engine: Engine;
let store: Store;
let deps: ForgetDependencies;

beforeAll(async () => {
  engine = await startEngine({ dataDir: join(root, "store") });
  await engine.ready();
  store = openStore({ socketPath: engine.socketPath });
  await migrate(store);
});
afterAll(async () => {
  await store.close();
  await engine.close();
  rmSync(root, { recursive: true });
});
beforeEach(async () => {
  for (const table of ["events", "contacts", "instance_keys"])
    await store.command(`TRUNCATE TABLE ${table} SYNC`);
  const dir = mkdtempSync(join(root, "data-"));
  const [logDir, setAsideDir] = [join(dir, "log"), join(dir, "set-aside")];
  mkdirSync(logDir);
  mkdirSync(setAsideDir);
  deps = {
    store,
    log: { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) },
    logDir,
    setAsideDir,
    storedForms: (id) => [id, `hashed-${id}`],
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
  readonly envelope?: object;
}

function line({ id, type = "track", userId = "", anonymousId = "", envelope = {} }: Row): string {
  const json = JSON.stringify({ messageId: id, ...envelope });
  return `${["server", type, "E", id, userId, anonymousId, TIME, TIME, "0", "", "1", "0", "[]", json].join("\t")}\n`;
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

const rowsOf = ({ removed }: ForgetReceipt): object =>
  Object.fromEntries(removed.map(({ where, rows }) => [where, rows]));

function bytesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .map((path) => (statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "latin1") : ""))
    .join("\n");
}

describe("forgetting", () => {
  it("deletes an instance's rows wherever its id stands, and no others, and keeps its key", async () => {
    const id = 'it\'s \\ "i1"';
    const own = [
      { properties: { instanceId: id } },
      { traits: { instanceId: id } },
      { context: { instanceId: id } },
    ];
    const others = [
      { properties: { instanceId: `${id}0` } },
      { properties: { other: id, deep: { instanceId: id } } },
      { instanceId: id },
    ];
    const escaped = (value: string): string => value.replaceAll("\\", "\\\\");
    const rows = [...own, ...others].map((envelope, n) =>
      line({ id: `${n}` }).replace(/\{.*/, escaped(JSON.stringify(envelope))),
    );
    rows.push(line({ id: "user", userId: `hashed-${escaped(id)}` }));
    rows.push(line({ id: "anonymous", anonymousId: escaped(id) }));
    await store.insertLines(EVENT_TARGET, Buffer.from(rows.join("")), `token-${token++}`);
    const key = { publicKey: "k", registeredAt: "2026-03-01 00:00:00" };
    await store.insertRows("instance_keys", [{ instanceId: id, ...key }]);
    const receipt = await forget({ instance: id }, deps);
    expect(receipt).toEqual({
      forgotten: { instance: id },
      requestedAt: "2026-03-02T00:00:00.000Z",
      completedAt: "2026-03-02T00:00:00.000Z",
      removed: [
        { where: "events", rows: 5 },
        { where: "set aside", rows: 0 },
        { where: "copies of damaged segments", rows: 0 },
      ],
      notes: [
        expect.stringContaining("requestedAt"),
        expect.stringContaining("hashes"),
        expect.stringContaining("Backups"),
        expect.stringContaining("public key"),
        expect.stringContaining("gateway"),
        expect.stringContaining("Contacts"),
      ],
    });
    expect(await storedIds()).toEqual(["3", "4", "5"]);
    expect(await store.query("SELECT instanceId FROM instance_keys")).toEqual([{ instanceId: id }]);
  });

  it("deletes a user's rows by every form in which the id may stand", async () => {
    await insert([
      { id: "a", userId: "u1" },
      { id: "b", anonymousId: "u1" },
      { id: "c", userId: "hashed-u1" },
      { id: "d", type: "alias", userId: "u2", envelope: { previousId: "hashed-u1" } },
      { id: "e", userId: "u10" },
      { id: "f", userId: "U1" },
      { id: "g", userId: "u2", envelope: { previousId: "u1" } },
    ]);
    expect(rowsOf(await forget({ user: "u1" }, deps))).toMatchObject({ events: 4 });
    expect(await storedIds()).toEqual(["e", "f", "g"]);
  });

  it("deletes a contact in any case, and does not repeat the address", async () => {
    await insertContact("Ann@Example.org");
    await insertContact("ÄNN@example.org");
    await insertContact("ann@example.org.invalid", "2026-03-02", { os: "ubuntu" });
    const receipt = await forget({ contact: "ann@EXAMPLE.org" }, deps);
    expect(rowsOf(receipt)).toMatchObject({ contacts: 1 });
    expect(JSON.stringify(receipt).toLowerCase()).not.toContain("ann@");
    expect(await readContacts(store, 10)).toEqual([
      { day: "2026-03-02", contact: "ann@example.org.invalid", os: "ubuntu" },
      { day: "2026-03-01", contact: "ÄNN@example.org" },
    ]);
    expect(await readContacts(store, 1)).toHaveLength(1);
  });

  it("says 0 rows of what is not known", async () => {
    await insert([{ id: "a", userId: "u1" }]);
    for (const request of [{ instance: "none" }, { user: "none" }, { contact: "none" }]) {
      const receipt = await forget(request, deps);
      expect(receipt.removed.map(({ rows }) => rows)).toEqual(receipt.removed.map(() => 0));
    }
    expect(await storedIds()).toEqual(["a"]);
  });

  it("leaves no byte of the forgotten on disk, not even in the store's own notes of the deletion", async () => {
    const marker = "MARKER-5d1e";
    await insert([
      { id: "a", userId: marker, envelope: { properties: { instanceId: marker } } },
      { id: "b", userId: "KEPT-77aa" },
    ]);
    await insertContact(`${marker}@example.org`);
    expect(bytesBelow(root).includes(marker)).toBe(true);
    await forget({ contact: `${marker}@example.org` }, deps);
    await forget({ instance: marker }, deps);
    await forget({ user: marker }, deps);
    const bytes = bytesBelow(root);
    expect(bytes.includes(marker)).toBe(false);
    expect(bytes.includes("KEPT-77aa")).toBe(true);
    expect(await store.query("SELECT * FROM candor.forgetting")).toEqual([]);
  }, 60_000);

  it("waits for what is in the log, and removes rows that were set aside on the way", async () => {
    const log = await openAppendLog({ dir: deps.logDir, keepKeys: async () => {} });
    const setAside = openSetAside(deps.setAsideDir);
    const lines = [
      line({ id: "a", userId: "u1" }),
      "server\ttrack\tbroken\tu1\n",
      line({ id: "b", userId: "u2" }),
      "server\ttrack\tbroken\tu10\n",
    ];
    await log.append(new Uint32Array(2 * lines.length).fill(1), lines.join(""));
    const drain = startDrain({
      log,
      inserter: createInserter(store, setAside),
      prepare: async () => {},
      onFatal: () => {},
      onStoreChange: () => {},
      meters: { countDrained: () => {}, countInsertRetry: () => {}, countSetAside: () => {} },
      lingerMs: 300,
    });
    const receipt = await forget({ user: "u1" }, { ...deps, log, now: Date.now });
    expect(rowsOf(receipt)).toEqual({ events: 1, "set aside": 1, "copies of damaged segments": 0 });
    expect(await storedIds()).toEqual(["b"]);
    expect(readdirSync(deps.setAsideDir)).toHaveLength(1);
    await drain.close(1000);
  });

  it("removes copies of damaged segments that hold the id, and those alone", async () => {
    const files = {
      [join(deps.logDir, "1.open.damaged")]: line({ id: "a", userId: "u1" }),
      [join(deps.logDir, "2.open.damaged")]: line({ id: "a", userId: "u10" }),
      [join(deps.logDir, "3.open")]: line({ id: "a", userId: "u1" }),
      [join(deps.setAsideDir, "1.damaged")]: `${line({ id: "a" })}torn \ufffd {"userId":"u1"`,
      [join(deps.setAsideDir, "2.unreadable")]: toContactLine(
        { contact: "Ann@example.org", about: {} },
        TIME,
        1,
      ),
    };
    for (const [path, content] of Object.entries(files)) writeFileSync(path, content);
    expect(rowsOf(await forget({ user: "u1" }, deps))).toMatchObject({ "copies of damaged segments": 2 });
    expect(readdirSync(deps.logDir).sort()).toEqual(["2.open.damaged", "3.open"]);
    expect(readdirSync(deps.setAsideDir)).toEqual(["2.unreadable"]);
    const receipt = await forget({ contact: "ann@example.org" }, deps);
    expect(rowsOf(receipt)).toMatchObject({ "copies of damaged segments": 1 });
  });

  it("gives no receipt while rows are left, or the store is away", async () => {
    await insert([{ id: "a", userId: "u1" }]);
    const deaf: Store = {
      ...store,
      command: async (sql) => (sql.startsWith("ALTER TABLE events DELETE") ? undefined : store.command(sql)),
    };
    await expect(forget({ user: "u1" }, { ...deps, store: deaf })).rejects.toMatchObject({
      code: "forget_incomplete",
      message: expect.stringContaining("rows in events"),
    });
    const away = openStore({ socketPath: join(root, "nothing.sock") });
    await expect(forget({ user: "u1" }, { ...deps, store: away })).rejects.toMatchObject({
      code: "store_away",
    });
    await away.close();
    expect(await storedIds()).toEqual(["a"]);
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
