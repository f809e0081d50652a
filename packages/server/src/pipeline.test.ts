import { readFileSync } from "node:fs";
import { createIds, type JsonObject, MAX_MESSAGE_BYTES, readShared, toIsoTime } from "@candor/envelope";
import { loadPlan } from "@candor/plan";
import { compilePlan } from "@candor/plan/runtime";
import { expect, it } from "vitest";
import { createPlanCounts } from "./enforce/plan-counts.ts";
import { type Dropped, type Intake, runSteps } from "./pipeline.ts";
import { createRedactors } from "./privacy/redactors.ts";
import { OBSERVE_PLAN } from "./rig/in-process.ts";

const PSEUDONYM = "0123456789abcdef".repeat(2);
const redactors = createRedactors(() => PSEUDONYM);
const compiled = compilePlan(loadPlan(readFileSync(OBSERVE_PLAN, "utf8"), OBSERVE_PLAN), redactors);

/** Wraps an object, and counts how often its keys are listed or a property is read. */
function watched(value: JsonObject): { readonly proxy: JsonObject; readonly looks: { count: number } } {
  const looks = { count: 0 };
  const look = <Args extends unknown[], Result>(how: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      looks.count += 1;
      return how(...args);
    };
  };
  const handler: ProxyHandler<JsonObject> = { ownKeys: look(Reflect.ownKeys), get: look(Reflect.get) };
  const proxy = new Proxy(value, handler);
  return { proxy, looks };
}

function run(items: readonly unknown[], body: JsonObject): readonly Dropped[] {
  const intake: Intake = {
    items,
    sourceOf: () => "client",
    bringer: "client",
    pathType: undefined,
    shared: readShared(body),
    isSmall: false,
    reception: { receivedAtMs: 0, receivedAt: toIsoTime(0), retryCount: 0, peerAddress: undefined },
    firstSequence: 0,
    peerAddress: undefined,
    hasSignal: false,
    keys: new Uint32Array(2 * items.length),
    lines: "",
    contactLines: "",
    rows: 0,
    duplicates: 0,
  };
  return runSteps(intake, {
    ids: createIds({ hash: () => PSEUDONYM }),
    plan: () => compiled,
    planCounts: createPlanCounts(),
    countryOf: () => undefined,
    dedupe: { seed: [0, 0], add: () => true },
    watch: undefined,
  });
}

const items = Array.from({ length: 300 }, (_, n) => ({
  type: "track",
  event: "E",
  userId: "u",
  messageId: `m${n}`,
}));

it.each(["context", "integrations"])(
  "a shared %s that is too large is traversed once, however many messages there are",
  (field) => {
    const { proxy, looks } = watched({ filler: "x".repeat(MAX_MESSAGE_BYTES) });
    const one = run(items.slice(0, 1), { [field]: proxy });
    const looksForOne = looks.count;
    const dropped = run(items, { [field]: proxy });
    expect(looks.count - looksForOne).toBe(looksForOne);
    expect([...one, ...dropped].every(({ reason }) => reason === "event_too_large")).toBe(true);
    expect(dropped).toHaveLength(items.length);
  },
);

it("a shared field is traversed only for as many messages as fit into a request with it", () => {
  const { proxy, looks } = watched({ filler: "x".repeat(MAX_MESSAGE_BYTES - 1000) });
  const dropped = run(items, { context: proxy });
  const taken = items.length - dropped.length;
  expect(taken).toBe(Math.floor((8 * 1024 * 1024) / JSON.stringify(proxy).length));
  const looksForTaken = looks.count;
  run([...items, ...items], { context: proxy });
  expect(looks.count - looksForTaken).toBeLessThanOrEqual(looksForTaken);
});
