import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALONE, type JsonObject, parseMessage, stampMessage } from "@candor/envelope";
import { loadPlan, PLAN_SOURCES, type Plan, type PlanSourceName } from "@candor/plan";
import { type CompiledPlan, compilePlan } from "@candor/plan/runtime";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readSegment } from "./log/segment.ts";
import { createRedactors } from "./privacy/redactors.ts";
import { bytesBelow } from "./rig/bytes-below.ts";
import { answerOf, basic, NO_STORE, startForTest, type TestCandor, WRITE_KEYS } from "./rig/in-process.ts";
import { breaches, type Json } from "./rig/plan-oracle.ts";
import { MARKER, NUMBER_MARKER, randomMessage } from "./rig/random-message.ts";
import { type PlanData, randomPlan } from "./rig/random-plan.ts";

const SEED = 20261123;
const PLANS = 15;
const BATCHES = 3;
const BATCH = 100;
const MARKERS = [MARKER, String(NUMBER_MARKER), Buffer.from(MARKER).toString("base64").slice(0, 15)];

const root = mkdtempSync(join(tmpdir(), "candor-fuzz-"));
const collectors: TestCandor[] = [];
afterAll(async () => {
  await Promise.all(collectors.map((candor) => candor.close()));
  rmSync(root, { recursive: true });
});

function load(data: PlanData): Plan {
  return loadPlan(JSON.stringify(data), "random.yaml");
}

async function startWith(data: PlanData, dataDir: string): Promise<TestCandor> {
  mkdirSync(dataDir);
  const CANDOR_PLAN = join(dataDir, "random.yaml");
  writeFileSync(CANDOR_PLAN, JSON.stringify(data));
  const candor = await startForTest({ ...NO_STORE, CANDOR_DATA_DIR: dataDir, CANDOR_PLAN });
  collectors.push(candor);
  return candor;
}

/** Sends batches whose shared fields are undeclared too. Returns the number of accepted messages. */
async function sendAll(
  candor: TestCandor,
  plan: Plan,
  source: PlanSourceName,
  seed: number,
): Promise<number> {
  let accepted = 0;
  for (let n = 0; n < BATCHES; n++) {
    const batch = fc.sample(randomMessage(plan, source), { numRuns: BATCH, seed: seed + n });
    const shared = { context: { [MARKER]: MARKER }, integrations: { [MARKER]: MARKER }, [MARKER]: MARKER };
    const authorization = basic(WRITE_KEYS[source]);
    const response = await candor.post("/v1/batch", { batch, ...shared }, { authorization });
    expect(response.status).toBe(200);
    accepted += (await answerOf(response)).accepted ?? 0;
  }
  return accepted;
}

/** Returns the text around the first match, for a failure message; undefined if there is no match. */
function around(bytes: string, text: string): string | undefined {
  const at = bytes.indexOf(text);
  return at < 0 ? undefined : bytes.slice(Math.max(0, at - 200), at + 100);
}

const UNESCAPED: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", 0: "\0", b: "\b", f: "\f" };

interface KeptLine {
  readonly source: PlanSourceName;
  readonly isTrimmed: boolean;
  readonly envelope: Json;
}

function keptLines(logDir: string): KeptLine[] {
  const segments = readdirSync(logDir).filter((name) => /\.(?:open|log)$/.test(name));
  const texts = segments.map((name) => linesOf(join(logDir, name)).toString("utf8"));
  return texts.flatMap((text) => text.split("\n").slice(0, -1)).map(readLine);
}

function linesOf(path: string): Buffer {
  return readSegment({ path, bytes: statSync(path).size }).lines;
}

function readLine(line: string): KeptLine {
  const cells = line.split("\t");
  const text = (cells.at(-1) ?? "").replace(/\\(.)/g, (_all, char: string) => UNESCAPED[char] ?? char);
  const source = PLAN_SOURCES.find((name) => name === cells[0]);
  if (source === undefined) throw new Error("a line begins with its source");
  return { source, isTrimmed: cells.at(-2) !== "[]", envelope: JSON.parse(text) };
}

describe("random messages checked against random plans, sent over HTTP", () => {
  it("leave nothing on disk that the plan does not declare", async () => {
    const plans = fc.sample(randomPlan, { numRuns: PLANS, seed: SEED });
    const totals = { accepted: 0, kept: 0, trimmed: 0 };
    const breached: unknown[] = [];
    for (const [index, data] of plans.entries()) {
      const dataDir = join(root, `data-${index}`);
      const plan = load(data);
      const candor = await startWith(data, dataDir);
      for (const [at, source] of PLAN_SOURCES.entries())
        totals.accepted += await sendAll(candor, plan, source, SEED + 100 * index + 10 * at);
      const bytes = bytesBelow(dataDir);
      for (const marker of MARKERS) expect(around(bytes, marker), `plan ${index}`).toBe(undefined);
      const lines = keptLines(join(dataDir, "log"));
      for (const { source, envelope } of lines) {
        const found = breaches(plan, source, envelope);
        if (found.length > 0) breached.push({ index, found, envelope });
      }
      totals.kept += lines.length;
      totals.trimmed += lines.filter(({ isTrimmed }) => isTrimmed).length;
    }
    expect(breached).toEqual([]);
    expect(totals.kept).toBe(totals.accepted);
    expect(totals.trimmed).toBeGreaterThan(1000);
    expect(totals.kept).toBeGreaterThan(2000);
  }, 60_000);

  it("would be found by the search and by the oracle if they were kept", () => {
    const [data = {}] = fc.sample(randomPlan, { numRuns: 1, seed: SEED });
    const plan = load(data);
    writeFileSync(join(root, "found.txt"), `x${MARKER}y`);
    expect(bytesBelow(root)).toContain(MARKER);
    const event = plan.events.find(({ type }) => type === "track");
    const source = event?.sources[0] ?? "server";
    const kept = {
      type: "track",
      event: event?.name,
      context: { [MARKER]: 1 },
      integrations: {},
      properties: {},
    };
    expect(breaches(plan, source, kept)).toContain("context has an undeclared field");
  });
});

const RECEIPT = {
  receivedAtMs: 0,
  receivedAt: "1970-01-01T00:00:00.000Z",
  retryCount: 0,
  peerAddress: undefined,
};
const IDS = { newMessageId: () => "new", hashMessageId: () => "hashed" };
/** Stands in for every keyed hash, because a real hash would change when it is hashed again. */
const PSEUDONYM = "0123456789abcdef".repeat(2);
const redactors = createRedactors(() => PSEUDONYM);

interface Rules {
  readonly plan: Plan;
  readonly compiled: CompiledPlan;
  readonly source: PlanSourceName;
}

const rules = fc.sample(randomPlan, { numRuns: 40, seed: SEED + 1 }).flatMap((data): Rules[] => {
  const plan = load(data);
  return PLAN_SOURCES.map((source) => ({ plan, compiled: compilePlan(plan, redactors), source }));
});
const messages = rules.map((rule) => fc.tuple(fc.constant(rule), randomMessage(rule.plan, rule.source)));

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

/** Returns the message as it is stored. */
function written(message: object): Json {
  return JSON.parse(JSON.stringify(message));
}

it("a checked message satisfies its plan, its input is untouched, and checking again changes nothing", () => {
  let kept = 0;
  fc.assert(
    fc.property(fc.oneof(...messages), ([{ plan, compiled, source }, item]) => {
      const sent: JsonObject = JSON.parse(JSON.stringify(item));
      deepFreeze(sent.context); // other messages may share the context: changing it throws
      const message = parseMessage(sent, ALONE);
      if (typeof message === "string") return;
      const envelope = stampMessage(message, RECEIPT, IDS);
      if (compiled.check(source, envelope, 0).refused !== undefined) return;
      kept += 1;
      const once = written(envelope);
      expect(breaches(plan, source, once)).toEqual([]);
      for (const marker of MARKERS) expect(JSON.stringify(once)).not.toContain(marker);
      if (plan.sources[source]?.ip === "hash") return; // a second check would remove the hashed address
      expect(compiled.check(source, envelope, 0).contact).toBe(undefined);
      expect(written(envelope)).toEqual(once);
    }),
    { numRuns: 6000, seed: SEED },
  );
  expect(kept).toBeGreaterThan(2000);
}, 60_000);

/**
 * The SDK checks messages by the same rules before it sends them: checking what the SDK kept must not change
 * it.
 */
it.each(["https://host.example//two/three", "/who/ada%40mail.example"])(
  "the path of %j begins with one slash, and checking it again changes nothing",
  (url) => {
    const field = { type: "string", format: "url", sensitivity: "technical", description: "A URL." };
    const [data = {}] = fc.sample(randomPlan, { numRuns: 1, seed: SEED });
    const [event = {}] = Array.isArray(data.events) ? data.events : [];
    const own = {
      type: "track",
      name: "Opened",
      source: ["server"],
      properties: { url: { ...field, example: "/" } },
    };
    const { traits: _none, ...base } = event;
    const plan = load({ ...data, events: [{ ...base, ...own }] });
    const { check } = compilePlan(plan, redactors);
    const message = parseMessage(
      { type: "track", event: "Opened", anonymousId: "a", properties: { url } },
      ALONE,
    );
    if (typeof message === "string") throw new Error(message);
    const envelope = stampMessage(message, RECEIPT, IDS);
    check("server", envelope, 0);
    const once = envelope.properties?.url;
    expect(once).toMatch(/^\/(?!\/)/);
    check("server", envelope, 0);
    expect(envelope.properties?.url).toBe(once);
  },
);
