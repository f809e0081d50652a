/**
 * Owns the ordered list of steps that every message goes through. Each step keeps the message or drops it for
 * a reason.
 */
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
/** The value that Segment's API fills in if a message does not name its library. */
const UNKNOWN_LIBRARY: JsonObject = Object.freeze({ name: "unknown", version: "unknown" });

/** What the steps depend on, besides the messages. */
export interface StepDependencies {
  readonly ids: IdSource;
  /** The plan in force at this moment. */
  readonly plan: () => CompiledPlan;
  readonly planCounts: PlanCounts;
  /** Returns the country of an IP address, ISO 3166 alpha-2; undefined if it is not known. */
  readonly countryOf: (address: string) => string | undefined;
  readonly dedupe: Pick<Dedupe, "seed" | "add">;
  /** Returns the function to call with every message and its drop reason; undefined if nobody is watching. */
  readonly watch:
    | (() => ((draft: PipelineDraft, reason: DropReason | undefined) => void) | undefined)
    | undefined;
  /**
   * Called with each message of an instance's server that becomes a row, and with the address that it came from,
   * which is not stored.
   */
  readonly seeServer?: (envelope: Envelope, address: string) => void;
}

/** A request in the pipeline: the values that its messages share, and the results that the steps collect. */
export interface Intake {
  readonly items: readonly unknown[];
  /** Returns the source of a message in this request; undefined if the message's write key is unknown. */
  readonly sourceOf: (item: unknown) => Source | undefined;
  /** The source of the request's own write key; undefined if it has no known one. */
  readonly bringer: Source | undefined;
  /** The type that the path implies for a single message; it overrides the message's own. */
  readonly pathType: MessageType | undefined;
  readonly shared: Shared;
  /**
   * Whether the body is so small that no message in it can exceed the size limit, however it is serialized.
   */
  readonly isSmall: boolean;
  /** When and how the request was received, without the peer's address. */
  readonly reception: Reception;
  /** The `sequence` of the request's first message. */
  readonly firstSequence: number;
  /**
   * The client's address; undefined if it is unknown. Becomes context.ip of messages from the source `client`
   * that have none, except those that the product's server forwards. For other sources, it only determines
   * the country.
   */
  readonly peerAddress: string | undefined;
  /** Whether the browser that sent the request asks not to be tracked. */
  readonly hasSignal: boolean;
  /** Dedupe keys of the kept rows, two words each; has room for all messages of the request. */
  readonly keys: Uint32Array;
  /** The kept rows, ready for the log. */
  lines: string;
  /** The contacts that were removed from the kept rows, ready for the log. */
  contactLines: string;
  rows: number;
  duplicates: number;
}

/** A message in the pipeline, with the results of the steps so far. */
export interface PipelineDraft {
  readonly item: unknown;
  /** The message's position in the request. */
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

/** Returns undefined to keep the message, or the reason to drop it. */
type Step = (draft: PipelineDraft, intake: Intake, dependencies: StepDependencies) => DropReason | undefined;

/**
 * The steps that every message passes through. Their order matters:
 * - `measure` comes first, so that no other step gets a message of unlimited size.
 * - `locate` comes before `enforce`, because the plan's policy may remove the address.
 * - Before `enforce`, nothing of a message is written, counted by name or shown as kept.
 * - After `serialize`, nothing may be added to the envelope.
 * - `dedupe` comes after every step that can drop a message, because a message that it has seen counts as
 *   kept.
 * - `append` is last.
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

/**
 * Runs every message through the steps. Synchronous. The rows that it collects in the intake are not durable
 * yet.
 * @returns the dropped messages, duplicates included
 */
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
 * Returns the address that a message came from. A browser's message that the product's server forwards has
 * none, because the peer is the server.
 */
function peerOf(source: Source | undefined, { bringer, peerAddress }: Intake): string | undefined {
  return source === "client" && bringer === "server" ? undefined : peerAddress;
}

function locate(draft: PipelineDraft, intake: Intake, { countryOf }: StepDependencies): undefined {
  const { ip } = draft.envelope.context;
  const address = typeof ip === "string" && ip !== "" ? ip : peerOf(draft.source, intake);
  draft.country = address === undefined ? undefined : countryOf(address);
}

/**
 * Applies the plan: drops the message, or removes or changes those of its values that must not be kept as
 * sent.
 */
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

/**
 * Adds a trim for each time that could not be parsed and was therefore ignored, so that the maker learns of
 * it.
 */
function noteUnreadableTimes(draft: PipelineDraft): void {
  const unreadable = draft.unreadableTimes.map((path): Trim => ({ path, reason: "unreadable_time" }));
  draft.verdict = { ...draft.verdict, trims: [...draft.verdict.trims, ...unreadable] };
}

/**
 * If the browser asks not to be tracked, drops every message whose rule is not `notice`, as the public page
 * promises.
 */
function heedSignal(
  { source, envelope }: PipelineDraft,
  { hasSignal, bringer }: Intake,
  { plan }: StepDependencies,
): DropReason | undefined {
  // The headers of a request from the product's server are not those of the browser.
  if (!hasSignal || source !== "client" || bringer === "server") return undefined;
  const { plan: inForce, find } = plan();
  const { type, event, name } = envelope;
  const declared = find(source, type, type === "track" ? event : name);
  const rule =
    declared === undefined ? inForce.sources[source]?.consent : consentOf(inForce, source, declared);
  return rule === "notice" ? undefined : "browser_signal";
}

/** Fills in a missing library, as Segment's API does, but only if the plan keeps it. */
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

function append(
  draft: PipelineDraft,
  intake: Intake,
  { planCounts, seeServer }: StepDependencies,
): undefined {
  const { source, index, country, planVersion, sentPlanVersion, skipped, verdict, trimmed, envelope } = draft;
  if (source === undefined) return;
  const { contact } = verdict;
  const sequence = intake.firstSequence + index;
  const about = { source, sequence, country, planVersion, sentPlanVersion, skipped, trimmed };
  intake.lines += toLine(about, envelope, draft.text);
  intake.rows += 1;
  if (source === "server" && intake.peerAddress !== undefined) seeServer?.(envelope, intake.peerAddress);
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
