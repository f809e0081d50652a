import { ALONE, createIds, type JsonObject, type JsonValue, toIsoTime } from "@candor/envelope";
import { type Field, type Fields, labelOf, type Plan, type PlanEvent, rootOf } from "@candor/plan";
import { compilePlan } from "@candor/plan/runtime";
import { type Intake, runSteps } from "../pipeline.ts";
import { createReducers } from "../privacy/reducers.ts";
import { createPlanCounts } from "./plan-counts.ts";

/** Stands for a keyed hash: a page must not depend on a secret. */
const SAMPLE_HASH = "5a6d1c".repeat(6).slice(0, 32);

/**
 * A sample of every event: its examples, sent through the steps that every message goes through. So the page shows what
 * the collector makes of a message, not what somebody believes it makes of it. The same plan gives the same samples.
 * @returns `labelOf(event)` to the envelope as JSON
 */
export function makeSamples(plan: Plan): ReadonlyMap<string, string> {
  const samples = new Map<string, string>();
  const compiled = compilePlan(
    // Expired events are shown as they were.
    { ...plan, events: plan.events.map((event) => ({ ...event, expires: undefined })) },
    createReducers(() => SAMPLE_HASH),
  );
  for (const event of plan.events) {
    runSteps(openIntake(plan, event), {
      ids: createIds({ random: (bytes) => Buffer.alloc(bytes, 1), hash: () => SAMPLE_HASH }),
      plan: () => compiled,
      planCounts: createPlanCounts(),
      countryOf: () => undefined,
      dedupe: { seed: [0, 0], add: () => true },
      watch: () => (draft, reason) => {
        if (reason === undefined) samples.set(labelOf(event), draft.text);
      },
    });
  }
  return samples;
}

function openIntake(plan: Plan, event: PlanEvent): Intake {
  const receivedAtMs = Date.parse(
    `${plan.changelog.find(({ version }) => version === event.since)?.date ?? plan.changelog[0]?.date}T08:05:52.726Z`,
  );
  return {
    items: [toMessage(plan, event)],
    sourceOf: () => event.sources[0],
    bringer: event.sources[0],
    pathType: undefined,
    shared: ALONE,
    isSmall: true,
    receipt: { receivedAtMs, receivedAt: toIsoTime(receivedAtMs), retryCount: 0, peerAddress: undefined },
    firstSequence: 0,
    peerAddress: undefined,
    hasSignal: false,
    keys: new Uint32Array(2),
    lines: "",
    contactLines: "",
    rows: 0,
    duplicates: 0,
  };
}

/** The message that a client would send with the examples of all declared fields. */
function toMessage(plan: Plan, event: PlanEvent): JsonObject {
  const source = plan.sources[event.sources[0] ?? "server"];
  const { type, name, fields } = event;
  const message: JsonObject = { type };
  if (name !== undefined) message[type === "track" ? "event" : "name"] = name;
  for (const [id, field] of Object.entries(source?.ids ?? {})) {
    const value = toExample(field);
    if (value !== undefined && belongs(id, type)) message[id] = value;
  }
  if (message.userId === undefined && message.anonymousId === undefined) message.anonymousId = SAMPLE_HASH;
  message.context = toExamples(source?.context ?? {});
  message[rootOf(type)] = toExamples(fields);
  return message;
}

function belongs(id: string, type: string): boolean {
  if (id === "groupId") return type === "group";
  return id !== "previousId" || type === "alias";
}

function toExamples(fields: Fields): JsonObject {
  const examples: JsonObject = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = toExample(field);
    if (value !== undefined) examples[name] = value;
  }
  return examples;
}

function toExample(field: Field): JsonValue | undefined {
  if (field.type === "object") return toExamples(field.fields);
  return typeof field.example === "object" ? [...field.example] : field.example;
}
