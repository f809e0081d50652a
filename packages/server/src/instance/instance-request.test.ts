import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, startEngine } from "@candor/engine";
import type { JsonObject } from "@candor/envelope";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createForget, type ForgetDependencies } from "../forget/forget.ts";
import { openStore, type Store } from "../store/client.ts";
import { migrate } from "../store/migrate.ts";
import { EVENT_TARGET } from "../store/row.ts";
import { createInstanceLimits } from "./instance-limits.ts";
import { handleInstanceRequest, type InstanceDependencies } from "./instance-request.ts";
import type { InstanceAction } from "./signed-request.ts";

const root = mkdtempSync(join(tmpdir(), "candor-instance-"));
let engine: Engine;
let store: Store;
let forgetting: ForgetDependencies;
let deps: InstanceDependencies;

beforeAll(async () => {
  engine = await startEngine({ dataDir: join(root, "store") });
  await engine.ready();
  store = openStore({ socketPath: engine.socketPath });
  await migrate(store);
  forgetting = {
    store,
    log: { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) },
    logDir: root,
    setAsideDir: root,
    storedForms: (id) => [id],
    now: () => NOW_MS,
  };
  deps = { ...forgetting, limits: createInstanceLimits(), forget: createForget(forgetting) };
});
afterAll(async () => {
  await store.close();
  await engine.close();
  rmSync(root, { recursive: true });
});
beforeEach(async () => {
  await store.command("TRUNCATE TABLE instance_keys SYNC");
});

const NOW = "2026-03-01T12:00:00.000Z";
const NOW_MS = Date.parse(NOW);

interface Instance {
  readonly instanceId: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

function newInstance(instanceId: string): Instance {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { instanceId, publicKey: String(publicKey.export({ format: "jwk" }).x), privateKey };
}

function body(
  action: InstanceAction,
  { instanceId, publicKey, privateKey }: Instance,
  signedAt = NOW,
): JsonObject {
  const text = `candor\n${action}\n${instanceId}\n${signedAt}`;
  const signature = sign(null, Buffer.from(text), privateKey).toString("base64url");
  return { instanceId, signedAt, signature, ...(action === "key" ? { publicKey } : {}) };
}

const ask = async (action: InstanceAction, asked: JsonObject, more = deps): Promise<object> =>
  JSON.parse(await handleInstanceRequest(action, asked, "192.0.2.7", more));

describe("an instance", () => {
  it("registers its key, and with it has everything of itself deleted, but the key", async () => {
    const instance = newInstance("111111111111111111111111");
    const line = (id: string): string =>
      `server\ttrack\tE\tm\tu\t\t2026-03-01T00:00:00.000\t2026-03-01T00:00:00.000\t0\t\t1\t0\t[]\t{"properties":{"instanceId":"${id}"}}\n`;
    await store.insertLines(
      EVENT_TARGET,
      Buffer.from(line("111111111111111111111111") + line("222222222222222222222222")),
      "rows",
    );
    expect(await ask("key", body("key", instance))).toEqual({ success: true });
    expect(await ask("key", body("key", instance))).toEqual({ success: true });
    expect(await ask("forget", body("forget", instance))).toMatchObject({
      forgotten: { instance: "111111111111111111111111" },
      removed: [
        { where: "events", rows: 1 },
        { where: "set aside", rows: 0 },
        { where: "copies of damaged segments", rows: 0 },
      ],
    });
    expect(
      await store.query("SELECT JSONExtractString(envelope, 'properties', 'instanceId') AS id FROM events"),
    ).toEqual([{ id: "222222222222222222222222" }]);
    expect(await ask("compare", body("compare", instance))).toMatchObject({ events: [] });
  });

  it("can ask again with the same key when the deletion broke off", async () => {
    const instance = newInstance("555555555555555555555555");
    const row = `server\ttrack\tE\tm\tu\t\t2026-03-01T00:00:00.000\t2026-03-01T00:00:00.000\t0\t\t1\t0\t[]\t{"properties":{"instanceId":"${instance.instanceId}"}}\n`;
    await store.insertLines(EVENT_TARGET, Buffer.from(row), "broken-off");
    await ask("key", body("key", instance));
    // After the rows are gone, before the receipt.
    const breaking: Store = {
      ...store,
      command: async (sql) => {
        if (sql.startsWith("ALTER TABLE forgetting")) throw new Error("broken off");
        await store.command(sql);
      },
    };
    await expect(
      ask("forget", body("forget", instance), {
        ...deps,
        forget: createForget({ ...forgetting, store: breaking }),
      }),
    ).rejects.toThrowError();
    expect(await ask("forget", body("forget", instance))).toMatchObject({
      forgotten: { instance: instance.instanceId },
      removed: expect.arrayContaining([{ where: "events", rows: 0 }]),
    });
  });

  it("is told of rows in which its id stands as a hash, and until when rows are in the store", async () => {
    const instance = newInstance("333333333333333333333333");
    const row = (messageId: string, userId: string): string =>
      `server\ttrack\tE\t${messageId}\t${userId}\t\t2026-03-01T00:00:00.000\t2026-03-01T00:00:00.000\t0\tFR\t3\t0\t['properties.x']\t{"messageId":"${messageId}","userId":"${userId}"}\n`;
    const rows = row("m1", "hash-of-33") + row("m2", "hash-of-44") + row("m3", `${instance.instanceId}0`);
    await store.insertLines(EVENT_TARGET, Buffer.from(rows), "hashed-rows");
    await ask("key", body("key", instance));
    const oldestMs = NOW_MS - 1500;
    const lagging: InstanceDependencies = {
      ...deps,
      storedForms: (id) => [id, `hash-of-${id.slice(0, 2)}`],
      log: { pending: () => ({ rows: 7, bytes: 700, oldestMs }) },
    };
    expect(await ask("compare", body("compare", instance), lagging)).toEqual({
      success: true,
      storedUntil: "2026-03-01T11:59:58.500Z",
      events: [
        {
          messageId: "m1",
          userId: "hash-of-33",
          candor: { source: "server", country: "FR", planVersion: 3, trimmed: ["properties.x"] },
        },
      ],
      next: null,
    });
  });

  it("keeps the key that it had first", async () => {
    const [first, second] = [
      newInstance("111111111111111111111111"),
      newInstance("111111111111111111111111"),
    ];
    await ask("key", body("key", first));
    await expect(ask("key", body("key", second))).rejects.toMatchObject({
      code: "instance_key_differs",
      status: 409,
    });
    await expect(ask("forget", body("forget", second))).rejects.toMatchObject({ code: "signature_invalid" });
    expect(await ask("forget", body("forget", first))).toMatchObject({
      forgotten: { instance: "111111111111111111111111" },
    });
  });

  it("lets exactly one of two keys stand that come at once", async () => {
    const instances = [newInstance("111111111111111111111111"), newInstance("111111111111111111111111")];
    await Promise.allSettled(instances.map((instance) => ask("key", body("key", instance))));
    const answers = await Promise.allSettled(instances.map((instance) => ask("key", body("key", instance))));
    expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("is refused when it cannot prove itself", async () => {
    const instance = newInstance("111111111111111111111111");
    const good = body("forget", instance);
    await expect(ask("forget", good)).rejects.toMatchObject({
      code: "instance_unknown",
      status: 404,
      message: expect.stringMatching(/ask again .*`candor forget --instance`/),
    });
    await ask("key", body("key", instance));
    const cases: [change: JsonObject, code: string, status: number][] = [
      [body("key", instance), "signature_invalid", 401],
      [{ signature: "A".repeat(86) }, "signature_invalid", 401],
      [{ signedAt: "2026-03-01T12:00:00.001Z" }, "signature_invalid", 401],
      [body("forget", newInstance("111111111111111111111111")), "signature_invalid", 401],
      [body("forget", instance, "2026-03-01T12:05:00.001Z"), "signature_stale", 401],
      [body("forget", instance, "2026-03-01T11:54:59.999Z"), "signature_stale", 401],
      [{ signedAt: "yesterday" }, "instance_request_invalid", 400],
      [{ signedAt: NOW_MS }, "instance_request_invalid", 400],
      [{ signature: "short" }, "instance_request_invalid", 400],
      [{ instanceId: "" }, "instance_request_invalid", 400],
      [{ instanceId: "i 1\n" }, "instance_request_invalid", 400],
      [{ instanceId: "i".repeat(129) }, "instance_request_invalid", 400],
      [{ instanceId: ["111111111111111111111111"] }, "instance_request_invalid", 400],
    ];
    for (const [change, code, status] of cases) {
      const refusal: unknown = await ask("forget", { ...good, ...change }).catch((error: unknown) => error);
      expect([change, refusal]).toEqual([change, expect.objectContaining({ code, status })]);
    }
    for (const signedAt of ["2026-03-01T12:05:00.000Z", "2026-03-01T12:55:00+01:00"]) {
      await ask("forget", body("forget", instance, signedAt));
    }
  });

  it("cannot register what is no key, or a key that it does not hold", async () => {
    const [instance, other] = [
      newInstance("111111111111111111111111"),
      newInstance("111111111111111111111111"),
    ];
    const good = body("key", instance);
    const cases: [change: JsonObject, code: string][] = [
      [{ publicKey: other.publicKey }, "signature_invalid"],
      [{ publicKey: "_".repeat(43) }, "signature_invalid"],
      [{ publicKey: `${instance.publicKey}=` }, "instance_request_invalid"],
      [{ publicKey: null }, "instance_request_invalid"],
      [body("forget", instance), "signature_invalid"],
    ];
    for (const [change, code] of cases) {
      const refusal: unknown = await ask("key", { ...good, ...change }).catch((error: unknown) => error);
      expect([change, refusal]).toEqual([change, expect.objectContaining({ code })]);
    }
    expect(await store.query("SELECT * FROM instance_keys")).toEqual([]);
  });

  it("may register and compare only so often, and have itself forgotten whenever it likes", async () => {
    const instance = newInstance("111111111111111111111111");
    const once = { burst: 1, everyMs: 1000 };
    const limits = createInstanceLimits({ peer: once, total: once, maxPeers: 10, clockMs: () => 0 });
    const few = { ...deps, limits };
    expect(await ask("key", body("key", instance), few)).toEqual({ success: true });
    expect(await ask("compare", body("compare", instance), few)).toMatchObject({ success: true, events: [] });
    for (const action of ["key", "compare"] as const) {
      await expect(ask(action, body(action, instance), few)).rejects.toMatchObject({
        code: "too_many_requests",
        status: 429,
        retryAfterS: 10,
      });
    }
    for (let n = 0; n < 3; n++) {
      expect(await ask("forget", body("forget", instance), few)).toHaveProperty("removed");
    }
  });

  it("does not use up its turns with requests that have not the right form or time", async () => {
    const instance = newInstance("111111111111111111111111");
    const once = { burst: 1, everyMs: 1000 };
    const limits = createInstanceLimits({ peer: once, total: once, maxPeers: 10, clockMs: () => 0 });
    const few = { ...deps, limits };
    const good = body("compare", instance);
    const [late, early] = ["2026-03-01T12:05:00.001Z", "2026-03-01T11:54:59.999Z"];
    const bad = [
      { ...good, limit: 0 },
      { ...good, cursor: "x" },
      { ...good, signature: "x" },
    ];
    for (const asked of [...bad, body("compare", instance, late), body("compare", instance, early)]) {
      await expect(ask("compare", asked, few)).rejects.toMatchObject({
        code: expect.stringMatching(/^(instance_request_invalid|signature_stale)$/),
      });
    }
    await ask("key", body("key", instance), few);
    expect(await ask("compare", good, few)).toMatchObject({ success: true });
  });
});
