import { createHash, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import type { JsonObject } from "@candor/envelope";
import { type InstanceAction, toInstanceId, toSignedText } from "@candor/envelope/instance-proof";
import { loadPlan } from "@candor/plan";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createForget, type ForgetDependencies } from "../forget/forget.ts";
import { APPSMITH_PLAN } from "../rig/in-process.ts";
import { startStoreForTest, type TestStore } from "../rig/real-store.ts";
import { rowLine } from "../rig/row-line.ts";
import { newInstance, type SigningInstance, signBody } from "../rig/signing-instance.ts";
import { EVENT_TARGET } from "../row.ts";
import type { Store } from "../store/client.ts";
import { createInstanceLimits, type InstanceLimits } from "./instance-limits.ts";
import { answerRequest, type InstanceDependencies, proveRequest } from "./instance-request.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const NOW_MS = Date.parse(NOW);
const ORIGIN = "https://telemetry.example.org";
const PLAN = loadPlan(readFileSync(APPSMITH_PLAN, "utf8"), APPSMITH_PLAN);
const FIVE_MINUTES = { late: "2026-03-01T12:05:00.000Z", early: "2026-03-01T11:55:00.000Z" };
const TOO_FAR = { late: "2026-03-01T12:05:00.001Z", early: "2026-03-01T11:54:59.999Z" };

let real: TestStore;
let store: Store;
let forgetting: ForgetDependencies;
let deps: InstanceDependencies;
/** Number of calls to the store. */
let asked = 0;
let token = 0;

beforeAll(async () => {
  real = await startStoreForTest();
  ({ store } = real);
  forgetting = {
    store: counting(store),
    log: { pending: () => ({ rows: 0, bytes: 0, oldestMs: undefined }) },
    logDir: real.dir,
    quarantineDir: real.dir,
    rollups: { noteMonths: async () => {}, rebuild: async () => {} },
    storedForms: (id) => [id, pseudonymOf(id)],
    plan: () => PLAN,
    now: () => NOW_MS,
  };
  deps = depsOf(forgetting);
});
afterAll(() => real.close());
beforeEach(async () => {
  await store.command("TRUNCATE TABLE events SYNC");
  asked = 0;
});

const depsOf = (more: ForgetDependencies): InstanceDependencies => ({
  products: [{ ...more, forget: createForget(more) }],
  limits: createInstanceLimits(),
  now: more.now,
});

const pseudonymOf = (id: string): string => createHash("sha256").update(`secret ${id}`).digest("hex");

/** Wraps a store, and counts the calls to it. */
function counting(real: Store): Store {
  return new Proxy(real, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        asked += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
}

type Changed = Partial<Parameters<typeof signBody>[2]>;

const bodyOf = (action: InstanceAction, instance: SigningInstance, claim: Changed = {}): JsonObject =>
  signBody(action, instance, { signedAt: NOW, origin: ORIGIN, ...claim });

async function ask(
  action: InstanceAction,
  body: JsonObject,
  { limits = deps.limits, more = deps }: { limits?: InstanceLimits; more?: InstanceDependencies } = {},
): Promise<{ readonly [field: string]: unknown }> {
  const asking = { peer: "192.0.2.7", origins: new Set(["http://telemetry.example.org", ORIGIN]) };
  const proven = proveRequest(action, body, asking, { ...more, limits });
  return JSON.parse(await answerRequest(proven, more));
}

const refusalOf = (action: InstanceAction, body: JsonObject, limits?: InstanceLimits): Promise<unknown> =>
  ask(action, body, limits && { limits }).catch((error: unknown) => error);

interface Row {
  readonly source?: "installer" | "server" | "client";
  readonly type?: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly properties?: object;
  readonly traits?: object;
  readonly context?: object;
}

/** Stores a row and returns its messageId. */
async function insert(messageId: string, row: Row): Promise<string> {
  const { source = "server", type = "track", userId = "", anonymousId = "", ...envelope } = row;
  const text = JSON.stringify({ messageId, type, userId, anonymousId, ...envelope });
  const cells = {
    source,
    type,
    messageId,
    userId,
    anonymousId,
    country: "FR",
    planVersion: "3",
    envelope: text,
  };
  await store.insertLines(EVENT_TARGET, Buffer.from(rowLine(cells)), `row-${token++}`);
  return messageId;
}

async function storedIds(): Promise<string[]> {
  const rows = await store.query("SELECT messageId FROM events ORDER BY messageId");
  return rows.map(({ messageId }) => String(messageId));
}

const idsOf = ({ events }: { readonly [field: string]: unknown }): unknown =>
  (events as { messageId: string }[]).map(({ messageId }) => messageId);

describe("an instance", () => {
  it("is shown its rows and can have them deleted, without registering first", async () => {
    const [own, other] = [newInstance(), newInstance()];
    const id = own.instanceId;
    await insert("named", { properties: { instanceId: id } });
    await insert("named-trait", { type: "identify", traits: { instanceId: id } });
    await insert("by-server", { anonymousId: id });
    await insert("through-gateway", { source: "client", properties: { instanceId: id } });
    await insert("other", { properties: { instanceId: other.instanceId } });
    const own4 = ["by-server", "named", "named-trait", "through-gateway"];
    const held = await ask("compare", bodyOf("compare", own));
    expect(idsOf(held)).toEqual(own4);
    expect(held).toMatchObject({ success: true, storedUntil: NOW, next: null });
    expect(await ask("forget", bodyOf("forget", own))).toMatchObject({
      forgotten: { instance: id },
      removed: expect.arrayContaining([{ where: "events", rows: 4 }]),
    });
    expect(await storedIds()).toEqual(["other"]);
    expect(idsOf(await ask("compare", bodyOf("compare", own)))).toEqual([]);
  });

  it("learns up to which time rows are in the store", async () => {
    const log = { pending: () => ({ rows: 7, bytes: 700, oldestMs: NOW_MS - 1500 }) };
    expect(
      await ask("compare", bodyOf("compare", newInstance()), { more: depsOf({ ...forgetting, log }) }),
    ).toMatchObject({
      storedUntil: "2026-03-01T11:59:58.500Z",
    });
  });

  it("can ask again if the deletion failed half-way", async () => {
    const instance = newInstance();
    await insert("broken-off", { properties: { instanceId: instance.instanceId } });
    // Fails after the rows are deleted and before the receipt is issued.
    const breaking: Store = {
      ...store,
      command: async (sql) => {
        if (sql.startsWith("ALTER TABLE forgetting")) throw new Error("broken off");
        await store.command(sql);
      },
    };
    const broken = ask("forget", bodyOf("forget", instance), {
      more: depsOf({ ...forgetting, store: breaking }),
    });
    await expect(broken).rejects.toThrowError();
    expect(await ask("forget", bodyOf("forget", instance))).toMatchObject({
      forgotten: { instance: instance.instanceId },
      removed: expect.arrayContaining([{ where: "events", rows: 0 }]),
    });
  });

  it.each(Object.values(FIVE_MINUTES))(
    "is accepted with a time within five minutes of now: %s",
    async (signedAt) => {
      const instance = newInstance();
      for (const action of ["compare", "forget"] as const)
        expect(await ask(action, bodyOf(action, instance, { signedAt }))).toBeDefined();
    },
  );

  it("finds its rows by the fields that the plan names for the id, and by no others", async () => {
    const [instance, server] = [newInstance(), PLAN.sources.server];
    const id = instance.instanceId;
    await insert("named", { properties: { instanceId: id } });
    await insert("as-the-plan-says", { properties: { install: id } });
    await insert("by-server", { anonymousId: id });
    await insert("attempt", { source: "installer", anonymousId: id });
    const under = async (sources: object): Promise<unknown> => {
      const plan = () => ({ ...PLAN, sources: { ...PLAN.sources, ...sources } });
      const more = depsOf({ ...forgetting, plan });
      return idsOf(await ask("compare", bodyOf("compare", instance), { more }));
    };
    expect(await under({})).toEqual(["by-server", "named"]);
    expect(await under({ server: { ...server, instanceIds: ["properties.install"] } })).toEqual([
      "as-the-plan-says",
    ]);
    expect(await under({ installer: { ...PLAN.sources.installer, instanceIds: ["anonymousId"] } })).toEqual([
      "attempt",
      "by-server",
      "named",
    ]);
    expect(await under({ installer: undefined, client: undefined, server: undefined })).toEqual([]);
  });
});

const BROWSER = "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa";
const VICTIM = newInstance();
const HEX = VICTIM.instanceId.replaceAll("-", "");
/** The ids under which a stranger may ask, each with a row that the stranger must not reach. */
const KNOWN: readonly (readonly [what: string, id: string, row: Row])[] = [
  ["another instance", VICTIM.instanceId, { properties: { instanceId: VICTIM.instanceId } }],
  ["another instance, by its server's anonymousId", VICTIM.instanceId, { anonymousId: VICTIM.instanceId }],
  ["another instance, in upper case", VICTIM.instanceId.toUpperCase(), { anonymousId: VICTIM.instanceId }],
  ["another instance, in braces", `{${VICTIM.instanceId}}`, { anonymousId: VICTIM.instanceId }],
  ["another instance, as a URN", `urn:uuid:${VICTIM.instanceId}`, { anonymousId: VICTIM.instanceId }],
  ["another instance, without dashes", HEX, { anonymousId: VICTIM.instanceId }],
  ["another instance, with a line feed", `${VICTIM.instanceId}\n`, { anonymousId: VICTIM.instanceId }],
  ["an instance identified by a random UUID", BROWSER, { properties: { instanceId: BROWSER } }],
  [
    "an instance identified by 24 hex digits",
    "612460418944011a10fa5b00",
    { properties: { instanceId: "612460418944011a10fa5b00" } },
  ],
  ["a browser", BROWSER, { source: "client", anonymousId: BROWSER }],
  [
    "a browser that looks like an instance",
    VICTIM.instanceId,
    { source: "client", anonymousId: VICTIM.instanceId },
  ],
  ["an install's attempt", BROWSER, { source: "installer", anonymousId: BROWSER }],
  ["a user by a keyed hash", pseudonymOf("ada"), { userId: pseudonymOf("ada") }],
  ["a user whose pseudonym is kept", "ada", { userId: pseudonymOf("ada") }],
  ["a user by a plain id", "5f7c6e0d9d1c2b3a4f5e6d7c", { userId: "5f7c6e0d9d1c2b3a4f5e6d7c" }],
  ["nobody", "", {}],
  ["everybody", "%", { anonymousId: VICTIM.instanceId }],
];

describe("a stranger with their own key", () => {
  it.each(KNOWN)("cannot ask as %s, and the store is not queried", async (_, id) => {
    const stranger = newInstance();
    for (const action of ["compare", "forget"] as const) {
      const bodies: readonly JsonObject[] = [
        bodyOf(action, stranger, { instanceId: id }), // the stranger's key, and a valid signature
        { ...bodyOf(action, stranger), instanceId: id }, // a signature over the stranger's own id
        { ...bodyOf(action, stranger, { instanceId: id }), publicKey: VICTIM.publicKey },
        { ...bodyOf(action, stranger), publicKey: VICTIM.publicKey, instanceId: VICTIM.instanceId },
      ];
      for (const body of bodies) {
        expect(await refusalOf(action, body)).toMatchObject({
          code: expect.stringMatching(/^(instance_request_invalid|instance_key_mismatch|signature_invalid)$/),
        });
      }
      expect(asked).toBe(0);
    }
  });

  it("reads and deletes nothing of anybody else's with a valid request", async () => {
    const stranger = newInstance();
    for (const [n, [, , row]] of KNOWN.entries()) await insert(`theirs-${n}`, row);
    const all = await storedIds();
    expect(all).toHaveLength(KNOWN.length);
    expect(idsOf(await ask("compare", bodyOf("compare", stranger)))).toEqual([]);
    await ask("forget", bodyOf("forget", stranger));
    expect(await storedIds()).toEqual(all);
  });

  it("gets no rows that contain the stranger's id in another field", async () => {
    const own = newInstance();
    const id = own.instanceId;
    await insert("user", { userId: id });
    await insert("user-of-client", { source: "client", userId: id });
    await insert("browser", { source: "client", anonymousId: id });
    await insert("attempt", { source: "installer", anonymousId: id });
    await insert("context", { context: { instanceId: id } });
    await insert("pseudonym", { anonymousId: pseudonymOf(id), properties: { instanceId: pseudonymOf(id) } });
    await insert("deeper", { properties: { deep: { instanceId: id }, note: id } });
    await insert("trait-of-track", { traits: { instanceId: id } });
    const all = await storedIds();
    expect(idsOf(await ask("compare", bodyOf("compare", own)))).toEqual([]);
    await ask("forget", bodyOf("forget", own));
    expect(await storedIds()).toEqual(all);
  });
});

describe("a request that proves nothing", () => {
  const instance = newInstance();
  const other = newInstance();
  const good = bodyOf("forget", instance);
  const smallOrder = Buffer.from(`01${"00".repeat(31)}`, "hex");

  /**
   * Makes a request whose key is the neutral point, for which anybody can sign: R is the neutral point, and S
   * is zero.
   */
  function ofSmallOrder(): JsonObject {
    const instanceId = toInstanceId(smallOrder);
    const signature = Buffer.concat([smallOrder, Buffer.alloc(32)]).toString("base64url");
    return { ...good, instanceId, publicKey: smallOrder.toString("base64url"), signature };
  }
  const signedOver = (text: string): JsonObject => ({
    ...good,
    signature: sign(null, Buffer.from(text), instance.privateKey).toString("base64url"),
  });
  const claim = { action: "forget", instanceId: instance.instanceId, signedAt: NOW, origin: ORIGIN } as const;
  const INVALID = "instance_request_invalid";
  const cases: [what: string, body: JsonObject, code: string, status: number][] = [
    ["another key", { ...good, publicKey: other.publicKey }, "instance_key_mismatch", 401],
    ["another's id", { ...good, instanceId: other.instanceId }, "instance_key_mismatch", 401],
    ["a key of small order", ofSmallOrder(), INVALID, 400],
    [
      "a second spelling of a key",
      { ...good, publicKey: Buffer.alloc(32, 0xff).toString("base64url") },
      INVALID,
      400,
    ],
    ["a key with padding", { ...good, publicKey: `${instance.publicKey}=` }, INVALID, 400],
    ["a key of 31 bytes", { ...good, publicKey: "A".repeat(42) }, INVALID, 400],
    ["no key", { ...good, publicKey: null }, INVALID, 400],
    ["a signature of zeros", { ...good, signature: "A".repeat(86) }, "signature_invalid", 401],
    ["a signature with unused bits set", { ...good, signature: `${"A".repeat(85)}B` }, INVALID, 400],
    ["a short signature", { ...good, signature: "short" }, INVALID, 400],
    [
      "a time that was not signed",
      { ...good, signedAt: "2026-03-01T12:00:00.001Z" },
      "signature_invalid",
      401,
    ],
    ["an action that was not signed", bodyOf("compare", instance), "signature_invalid", 401],
    [
      "another collector's address",
      bodyOf("forget", instance, { origin: "https://evil.example" }),
      "origin_mismatch",
      401,
    ],
    [
      "an address swapped after signing",
      { ...bodyOf("forget", instance, { origin: "https://evil.example" }), origin: ORIGIN },
      "signature_invalid",
      401,
    ],
    ["the address with a path", bodyOf("forget", instance, { origin: `${ORIGIN}/` }), INVALID, 400],
    ["no address", { ...good, origin: undefined as never }, INVALID, 400],
    [
      "a text without the address",
      signedOver(toSignedText(claim).split("\n").slice(0, 4).join("\n")),
      "signature_invalid",
      401,
    ],
    ["signed too late", bodyOf("forget", instance, { signedAt: TOO_FAR.late }), "signature_stale", 401],
    ["signed too early", bodyOf("forget", instance, { signedAt: TOO_FAR.early }), "signature_stale", 401],
    [
      "stale, and signed by somebody else",
      { ...bodyOf("forget", instance, { signedAt: TOO_FAR.late }), signature: "A".repeat(86) },
      "signature_invalid",
      401,
    ],
    ["no time", { ...good, signedAt: "yesterday" }, INVALID, 400],
    ["a time that is a number", { ...good, signedAt: NOW_MS }, INVALID, 400],
    ["a list for the id", { ...good, instanceId: [instance.instanceId] }, INVALID, 400],
    ["nothing at all", {}, INVALID, 400],
  ];

  it.each(cases)("is rejected: %s", async (_, body, code, status) => {
    expect(await refusalOf("forget", body)).toMatchObject({ code, status });
    expect(asked).toBe(0);
  });

  it("does not query the store, and does not count towards a rate limit", async () => {
    const limits = createInstanceLimits({
      network: { burst: 1, everyMs: 1000 },
      all: { burst: 1, everyMs: 1000 },
      clockMs: () => 0,
    });
    const pages = [{ limit: 0 }, { cursor: "x" }].map((page) => ({
      ...bodyOf("compare", instance),
      ...page,
    }));
    for (const page of pages)
      expect(await refusalOf("compare", page, limits)).toMatchObject({ code: INVALID });
    for (let n = 0; n < 300; n += 1) {
      const [, body, code] = cases[n % cases.length] ?? cases[0]!;
      expect(await refusalOf("forget", body, limits)).toMatchObject({ code });
    }
    expect(asked).toBe(0);
    expect(await ask("compare", bodyOf("compare", instance), { limits })).toMatchObject({ success: true });
    expect(asked).toBe(1);
    for (const action of ["compare", "forget"] as const) {
      expect(await refusalOf(action, bodyOf(action, instance), limits)).toMatchObject({
        code: "too_many_requests",
        status: 429,
        retryAfterS: 10,
      });
    }
    expect(asked).toBe(1);
  });
});
