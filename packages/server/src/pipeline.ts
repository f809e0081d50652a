/** Owns the ordered list of steps that every message goes through; each step keeps the message or drops it for a reason. */
import { randomInt } from "node:crypto";
import {
  type Envelope,
  type IdSource,
  type JsonObject,
  type MessageType,
  parseMessage,
  type Reception,
  type Shared,
  sizeFaultOf,
  stampMessage,
} from "@candor/envelope";
import { type Dropped as DroppedFor, sentMessageId } from "@candor/envelope/http";
import { type CompiledPlan, consentOf, type Trim, UNKNOWN_EVENT, type Verdict } from "@candor/plan/runtime";
import type { Source } from "./config.ts";
import type { PlanCounts } from "./enforce/plan-counts.ts";
import type { Dedupe } from "./log/dedupe.ts";
import { hashKey } from "./log/key-hash.ts";
import type { DropReason } from "./reasons.ts";
import { toContactLine, toLine } from "./row.ts";

const SHUFFLE_LIMIT = 2 ** 48;
/** What Segment's API fills in if a message does not name its library. */
const UNKNOWN_LIBRARY: JsonObject = Object.freeze({ name: "unknown", version: "unknown" });

/** What the steps depend on, besides the messages. */
export interface StepDependencies {
  readonly ids: IdSource;
  /** The plan in force at this moment. */
  readonly plan: () => CompiledPlan;
  readonly planCounts: PlanCounts;
  /** The country of an IP address, ISO 3166 alpha-2. */
  readonly countryOf: (address: string) => string | undefined;
  readonly dedupe: Pick<Dedupe, "seed" | "add">;
  /** Sees every message with its verdict, if somebody is watching. */
  readonly watch:
    | (() => ((draft: PipelineDraft, reason: DropReason | undefined) => void) | undefined)
    | undefined;
}

/** One request in the pipeline: what its messages share, and what the steps gather from them. */
export interface Intake {
  readonly items: readonly unknown[];
  /** The source of one of its messages; undefined if its write key is unknown. */
  readonly sourceOf: (item: unknown) => Source | undefined;
  /** The source of the request's own write key. */
  readonly bringer: Source | undefined;
  /** The type that the path implies for a single message; it overrides the message's own. */
  readonly pathType: MessageType | undefined;
  readonly shared: Shared;
  /** The body is so small that no message in it can be too large, however it is written. */
  readonly isSmall: boolean;
  /** Without the peer's address. */
  readonly reception: Reception;
  /** `sequence` of its first message. */
  readonly firstSequence: number;
  /** Becomes context.ip of client messages without one; for other sources only the country is kept. */
  readonly peerAddress: string | undefined;
  /** The browser that sent it asks not to be tracked. */
  readonly hasSignal: boolean;
  /** Dedupe keys of the kept rows, two words each. */
  readonly keys: Uint32Array;
  /** The kept rows, ready for the log. */
  lines: string;
  /** The contacts that were taken out of them. */
  contactLines: string;
  rows: number;
  duplicates: number;
}

/** One message in the pipeline: what the steps so far have made of it. */
export interface PipelineDraft {
  readonly item: unknown;
  /** Its position in the request. */
  readonly index: number;
  readonly source: Source | undefined;
  envelope: Envelope;
  unreadableTimes: readonly string[];
  country: string | undefined;
  planVersion: number;
  sentPlanVersion: number;
  skipped: number;
  verdict: Verdict;
  /** Declared paths at which something was removed or changed. */
  trimmed: readonly string[];
  /** The envelope as JSON. */
  text: string;
}

/** Keeps the message (undefined) or drops it for a reason. */
type Step = (draft: PipelineDraft, intake: Intake, dependencies: StepDependencies) => DropReason | undefined;

/**
 * Every message goes through these. Order matters: nothing is filled in or walked before `measure` has bounded it;
 * `locate` sees the address before the plan's policy removes it; nothing of a message is written, counted by name or
 * shown as kept before `enforce`; nothing may be added to the envelope after `serialize`; `dedupe` comes after
 * everything that can drop a message, because what it has seen counts as kept; `append` is last.
 */
const STEPS: readonly Step[] = [
  measure,
  stamp,
  locate,
  enforce,
  heedSignal,
  complete,
  serialize,
  dedupe,
  append,
];

export type Dropped = DroppedFor<DropReason>;

const NONE_DROPPED: readonly Dropped[] = Object.freeze([]);

/** Runs every message through the steps. Synchronous; what it gathers in the intake is not yet durable. */
export function runSteps(intake: Intake, dependencies: StepDependencies): readonly Dropped[] {
  const { items } = intake;
  let dropped: Dropped[] | undefined;
  const watcher = dependencies.watch?.();
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const draft = toDraft(item, index, intake.sourceOf(item));
    const reason = dropReason(draft, intake, dependencies);
    watcher?.(draft, reason);
    if (reason === undefined) continue;
    dropped ??= [];
    dropped.push({ index, messageId: sentMessageId(item), reason });
  }
  return dropped ?? NONE_DROPPED;
}

function dropReason(
  draft: PipelineDraft,
  intake: Intake,
  dependencies: StepDependencies,
): DropReason | undefined {
  for (const step of STEPS) {
    const reason = step(draft, intake, dependencies);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function measure({ item, index }: PipelineDraft, { shared, isSmall }: Intake): DropReason | undefined {
  return isSmall ? undefined : sizeFaultOf(item, index, shared);
}

function stamp(draft: PipelineDraft, intake: Intake, { ids }: StepDependencies): DropReason | undefined {
  const { item, source } = draft;
  if (source === undefined) return "unknown_write_key";
  const message = parseMessage(item, intake.shared, intake.pathType);
  if (typeof message === "string") return message;
  const peerAddress = source === "client" ? peerOf(source, intake) : undefined;
  const reception = peerAddress === undefined ? intake.reception : { ...intake.reception, peerAddress };
  draft.envelope = stampMessage(message, reception, ids);
  draft.unreadableTimes = message.unreadableTimes;
  draft.sentPlanVersion = message.planVersion ?? 0;
  draft.skipped = message.skipped ?? 0;
  return undefined;
}

/**
 * The address that a message came from. A browser's message that the product's server passes on has none, because the
 * peer is the server.
 */
function peerOf(source: Source | undefined, { bringer, peerAddress }: Intake): string | undefined {
  return source === "client" && bringer === "server" ? undefined : peerAddress;
}

function locate(draft: PipelineDraft, intake: Intake, { countryOf }: StepDependencies): undefined {
  const { ip } = draft.envelope.context;
  const address = typeof ip === "string" && ip !== "" ? ip : peerOf(draft.source, intake);
  draft.country = address === undefined ? undefined : countryOf(address);
}

/** Removes what the plan does not declare and what its policies do not keep, or drops the message. */
function enforce(
  draft: PipelineDraft,
  { reception }: Intake,
  { plan, planCounts }: StepDependencies,
): DropReason | undefined {
  if (draft.source === undefined) return "unknown_write_key";
  const compiled = plan();
  draft.planVersion = compiled.plan.version;
  draft.verdict = compiled.check(draft.source, draft.envelope, reception.receivedAtMs);
  if (draft.unreadableTimes.length > 0) noteUnreadableTimes(draft);
  if (compiled.plan.sources[draft.source]?.ip === "drop") draft.country = undefined;
  const { refused, trims } = draft.verdict;
  if (trims.length > 0) draft.trimmed = [...new Set(trims.map(({ path }) => path))];
  if (refused !== undefined) planCounts.add(draft.source, draft.planVersion, draft.verdict);
  return refused;
}

/** Such a message gets the time of its receipt instead; the trim tells the maker. */
function noteUnreadableTimes(draft: PipelineDraft): void {
  const unreadable = draft.unreadableTimes.map((path): Trim => ({ path, reason: "unreadable_time" }));
  draft.verdict = { ...draft.verdict, trims: [...draft.verdict.trims, ...unreadable] };
}

/** The public page promises that events which need a Yes are not taken from a browser that asks not to be tracked. */
function heedSignal(
  { source, envelope }: PipelineDraft,
  { hasSignal, bringer }: Intake,
  { plan }: StepDependencies,
): DropReason | undefined {
  if (!hasSignal || source !== "client" || bringer === "server") return undefined; // a server's headers are its own
  const { plan: inForce, find } = plan();
  const { type, event, name } = envelope;
  const declared = find(source, type, type === "track" ? event : name);
  const rule =
    declared === undefined ? inForce.sources[source]?.consent : consentOf(inForce, source, declared);
  return rule === "notice" ? undefined : "browser_signal";
}

/** Segment's API puts a library into every envelope. It is filled in only if the plan keeps it. */
function complete(
  { source, envelope }: PipelineDraft,
  _intake: Intake,
  { plan }: StepDependencies,
): undefined {
  if (envelope.context.library !== undefined || source === undefined) return;
  const rules = plan().plan.sources[source];
  if (rules?.mode === "observe" || rules?.context.library !== undefined)
    envelope.context = { ...envelope.context, library: UNKNOWN_LIBRARY };
}

function serialize(draft: PipelineDraft): undefined {
  draft.text = JSON.stringify(draft.envelope);
}

function dedupe(
  draft: PipelineDraft,
  intake: Intake,
  dependencies: StepDependencies,
): DropReason | undefined {
  const { keys, rows } = intake;
  hashKey(keys, rows, draft.source ?? "", draft.envelope.messageId, dependencies.dedupe.seed);
  if (dependencies.dedupe.add(keys, rows)) return undefined;
  intake.duplicates += 1;
  return "duplicate";
}

function append(draft: PipelineDraft, intake: Intake, { planCounts }: StepDependencies): undefined {
  const { source, index, country, planVersion, sentPlanVersion, skipped, verdict, trimmed, envelope } = draft;
  if (source === undefined) return;
  const { contact } = verdict;
  const sequence = intake.firstSequence + index;
  const about = { source, sequence, country, planVersion, sentPlanVersion, skipped, trimmed };
  intake.lines += toLine(about, envelope, draft.text);
  intake.rows += 1;
  if (trimmed.length > 0) planCounts.add(source, planVersion, verdict);
  if (contact !== undefined)
    intake.contactLines += toContactLine(contact, envelope.receivedAt, randomInt(SHUFFLE_LIMIT - 1));
}

function toDraft(item: unknown, index: number, source: Source | undefined): PipelineDraft {
  return {
    item,
    index,
    source,
    envelope: UNSTAMPED,
    unreadableTimes: NO_PATHS,
    country: undefined,
    planVersion: 0,
    sentPlanVersion: 0,
    skipped: 0,
    verdict: NO_VERDICT,
    trimmed: NO_PATHS,
    text: "",
  };
}

const NO_PATHS: readonly string[] = Object.freeze([]);
const NO_VERDICT: Verdict = Object.freeze({
  event: UNKNOWN_EVENT,
  refused: undefined,
  trims: [],
  contact: undefined,
});
const UNSTAMPED: Envelope = Object.freeze({
  anonymousId: undefined,
  category: undefined,
  context: {},
  event: undefined,
  groupId: undefined,
  integrations: {},
  messageId: "",
  name: undefined,
  originalTimestamp: undefined,
  previousId: undefined,
  properties: undefined,
  receivedAt: "",
  sentAt: undefined,
  timestamp: "",
  traits: undefined,
  type: "track",
  userId: undefined,
});
