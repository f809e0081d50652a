/**
 * Makes the public page's sample messages from a plan's examples, and lists the examples that the collector
 * would change.
 */
import {
  ALONE,
  createIds,
  isObject,
  type JsonObject,
  type JsonValue,
  parseMessage,
  toIsoTime,
} from "@candor/envelope";
import {
  type Field,
  type Fields,
  labelOf,
  type Plan,
  type PlanEvent,
  type PlanSourceName,
  rootOf,
} from "@candor/plan";
import { type CompiledPlan, compilePlan, TRIM_REASONS, type Trim } from "@candor/plan/runtime";
import { createPlanCounts } from "./enforce/plan-counts.ts";
import { type Intake, runSteps } from "./pipeline.ts";
import { createRedactors } from "./privacy/redactors.ts";

/** Stands in for a keyed hash, because the page must not depend on a secret. */
const SAMPLE_HASH = "5a6d1c".repeat(6).slice(0, 32);

/**
 * Makes a sample of every event by sending its examples through the same steps as every message. So the page
 * shows what the collector really stores. The same plan gives the same samples.
 * @returns a map from `labelOf(event)` to the envelope as JSON; without events whose examples the pipeline
 * drops
 */
export function makeSamples(plan: Plan): ReadonlyMap<string, string> {
  const samples = new Map<string, string>();
  const compiled = compileForSamples(plan);
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

/** Compiles the plan without expiry dates, so that expired events are shown as they were. */
function compileForSamples(plan: Plan): CompiledPlan {
  return compilePlan(
    { ...plan, events: plan.events.map((event) => ({ ...event, expires: undefined })) },
    createRedactors(() => SAMPLE_HASH),
  );
}

/**
 * An example in the plan that the collector would trim, or would reduce to `bot` or `unknown`. Changes that
 * the field's format implies are not listed.
 */
export interface ChangedExample {
  /** Such as `event track Opened, from client`. */
  readonly where: string;
  /** Such as `context.userAgent`. */
  readonly path: string;
  /** How the example would change, and what to write instead. */
  readonly text: string;
}

/**
 * Lists the examples of a valid plan that the collector would change if they were sent in messages of each
 * source.
 */
export function listChangedExamples(plan: Plan): readonly ChangedExample[] {
  const compiled = compileForSamples(plan);
  const found = plan.events.flatMap((event) =>
    event.sources.flatMap((source) => {
      const where = `event ${labelOf(event)}, from ${source}`;
      return listChanges(compiled, source, toMessage(plan, event, source)).map((change) => ({
        where,
        ...change,
      }));
    }),
  );
  // All events of a source share `context`, so each change in it is listed once.
  const isFirst = (one: ChangedExample, at: number): boolean =>
    found.findIndex(({ path, text }) => path === one.path && text === one.text) === at;
  return found.filter((one, at) => !one.path.startsWith("context.") || isFirst(one, at));
}

function listChanges(
  compiled: CompiledPlan,
  source: PlanSourceName,
  sent: JsonObject,
): readonly Pick<ChangedExample, "path" | "text">[] {
  const message = parseMessage(sent, ALONE);
  if (typeof message === "string") return [];
  const { trims } = compiled.check(source, message, 0);
  const { context, properties, traits } = message;
  const { ids = {} } = compiled.plan.sources[source] ?? {};
  // `toMessage` makes up an anonymousId for a source that declares none.
  const isDeclared = ({ path }: Trim): boolean => path !== "anonymousId" || ids.anonymousId !== undefined;
  return [
    ...trims.filter(isDeclared).map(({ path, reason }) => ({
      path,
      text: `The collector would change this example. ${TRIM_REASONS[reason]}`,
    })),
    ...Object.entries({ context, properties, traits }).flatMap(([root, kept]) =>
      listUnknownBrowsers(sent[root], kept, root).map((path) => ({ path, text: UNKNOWN_BROWSER })),
    ),
  ];
}

const UNKNOWN_BROWSER =
  "The example is taken for no person's browser. Write a whole user agent, or families such as `Firefox on Linux`.";

/** Lists the paths at which a text became `bot` or `unknown`. */
function listUnknownBrowsers(
  sent: JsonValue | undefined,
  kept: JsonValue | undefined,
  path: string,
): string[] {
  if (isObject(sent) && isObject(kept)) {
    return Object.entries(sent).flatMap(([name, value]) =>
      listUnknownBrowsers(value, kept[name], `${path}.${name}`),
    );
  }
  return (kept === "bot" || kept === "unknown") && kept !== sent ? [path] : [];
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
    reception: { receivedAtMs, receivedAt: toIsoTime(receivedAtMs), retryCount: 0, peerAddress: undefined },
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

/** Makes the message that a client would send with the examples of all declared fields. */
function toMessage(plan: Plan, event: PlanEvent, from = event.sources[0] ?? "server"): JsonObject {
  const source = plan.sources[from];
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
