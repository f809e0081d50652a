import { randomInt } from "node:crypto";
import {
  type BatchDefaults,
  type Envelope,
  type IdSource,
  isObject,
  type MessageType,
  parseMessage,
  type Receipt,
  stampMessage,
} from "@candor/envelope";
import { type CompiledPlan, type Judgement, UNKNOWN_EVENT } from "@candor/plan/runtime";
import type { Source } from "./config.ts";
import type { PlanCounts } from "./enforce/plan-counts.ts";
import { exceeds, mayExceed } from "./event-size.ts";
import type { Dedupe } from "./log/dedupe.ts";
import { hashKey } from "./log/key-hash.ts";
import type { Log } from "./log/log.ts";
import type { DropReason } from "./reasons.ts";
import { toContactLine, toLine } from "./store/row.ts";

const MAX_EVENT_BYTES = 32 * 1024;
/** What stamping may add to a message, about. */
const STAMP_BYTES = 1024;
const SHUFFLE_LIMIT = 2 ** 48;
/** A batch's context is filled into each of its messages: a body of 1 MiB could become gigabytes. */
const MAX_REQUEST_CHARS = 8 * 1024 * 1024;
const MAX_UTF8_BYTES_PER_CHAR = 3;

/** What the steps work with, beside the messages. */
export interface StepDependencies {
  readonly ids: IdSource;
  /** The plan that is in force at this moment. */
  readonly plan: () => CompiledPlan;
  readonly planCounts: PlanCounts;
  /** The country of an IP address, ISO 3166 alpha-2. */
  readonly countryOf: (address: string) => string | undefined;
  readonly dedupe: Pick<Dedupe, "seed" | "add">;
  /** Sees every message with its verdict, when somebody watches. */
  readonly watch: (() => ((draft: Draft, reason: DropReason | undefined) => void) | undefined) | undefined;
}

/** What keeping them takes beside that. */
export interface PipelineDependencies extends StepDependencies {
  readonly dedupe: Dedupe;
  readonly log: Log;
}

/** One request on its way: what its messages share, and what the steps gather from them. */
export interface Intake {
  /** The source of one of its messages; undefined when its write key is not known. */
  readonly sourceOf: (item: unknown) => Source | undefined;
  /** Whose write key the request itself has. */
  readonly bringer: Source | undefined;
  readonly pathType: MessageType | undefined;
  readonly batch: BatchDefaults;
  readonly receipt: Receipt;
  /** Becomes context.ip of client messages that bring none; of other sources' messages only the country is kept. */
  readonly peerAddress: string | undefined;
  /** Dedupe keys of the kept rows, two words each. */
  readonly keys: Uint32Array;
  /** The kept rows, ready for the log. */
  lines: string;
  /** What was taken out of them to be held apart. */
  contactLines: string;
  rows: number;
  duplicates: number;
}

/** One message on its way: what the steps so far have made of it. */
export interface Draft {
  readonly item: unknown;
  readonly source: Source | undefined;
  envelope: Envelope;
  country: string | undefined;
  planVersion: number;
  judgement: Judgement;
  /** Declared paths at which something was removed or changed. */
  trimmed: readonly string[];
  /** The envelope as JSON. */
  text: string;
}

/** Keeps the message (undefined) or drops it for a reason. */
type Step = (draft: Draft, intake: Intake, dependencies: StepDependencies) => DropReason | undefined;

/**
 * The way of every message. Order matters: `locate` sees the address before the plan's policy takes it; nothing of a
 * message is written, counted by name or shown as kept before `enforce`; nothing may be added to the envelope after
 * `serialize`; `dedupe` stands behind all that can drop a message, because what it has seen counts as kept; `append` is
 * last.
 */
const STEPS: readonly Step[] = [stamp, locate, enforce, serialize, dedupe, append];

export interface Dropped {
  readonly index: number;
  /** As the client sent it, where it sent one, so that it finds its message again. */
  readonly messageId: string | null;
  readonly reason: DropReason;
}

/** Runs every message through the steps. Synchronous; keeps nothing yet: `submit` does. */
export function runSteps(
  items: readonly unknown[],
  intake: Intake,
  dependencies: StepDependencies,
): Dropped[] {
  const dropped: Dropped[] = [];
  const watcher = dependencies.watch?.();
  for (const [index, item] of items.entries()) {
    const draft = toDraft(item, intake.sourceOf(item));
    const reason = dropReason(draft, intake, dependencies);
    watcher?.(draft, reason);
    if (reason !== undefined) dropped.push({ index, messageId: sentMessageId(item), reason });
  }
  return dropped;
}

/**
 * Resolves once every kept message of the request is on disk, and the originals of its duplicates too.
 * Rejects with a CandorError as Log.append does; then none of them is kept.
 */
export function submit(intake: Intake, { log, dedupe: known }: PipelineDependencies): Promise<void> {
  const { rows, lines, contactLines, duplicates } = intake;
  if (rows === 0) return duplicates === 0 ? Promise.resolve() : log.flushed();
  const keys = intake.keys.subarray(0, 2 * rows);
  return log.append(keys, lines, contactLines).catch((error: unknown) => {
    known.forget(keys);
    throw error;
  });
}

function dropReason(draft: Draft, intake: Intake, dependencies: StepDependencies): DropReason | undefined {
  for (const step of STEPS) {
    const reason = step(draft, intake, dependencies);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function stamp(draft: Draft, intake: Intake, { ids }: StepDependencies): DropReason | undefined {
  const { item, source } = draft;
  if (source === undefined) return "unknown_write_key";
  const message = parseMessage(item, intake.batch, intake.pathType);
  if (typeof message === "string") return message;
  const peerAddress = source === "client" ? peerOf(source, intake) : undefined;
  const receipt = peerAddress === undefined ? intake.receipt : { ...intake.receipt, peerAddress };
  draft.envelope = stampMessage(message, receipt, ids);
  return undefined;
}

/** The address that a message came from. A browser's message that the product's server brings has none: the peer is the server. */
function peerOf(source: Source | undefined, { bringer, peerAddress }: Intake): string | undefined {
  return source === "client" && bringer === "server" ? undefined : peerAddress;
}

function locate(draft: Draft, intake: Intake, { countryOf }: StepDependencies): undefined {
  const { ip } = draft.envelope.context;
  const address = typeof ip === "string" && ip !== "" ? ip : peerOf(draft.source, intake);
  draft.country = address === undefined ? undefined : countryOf(address);
}

/** Takes out what the plan does not declare, and what its policies do not keep; or refuses the message. */
function enforce(
  draft: Draft,
  { receipt }: Intake,
  { plan, planCounts }: StepDependencies,
): DropReason | undefined {
  if (draft.source === undefined) return "unknown_write_key";
  const compiled = plan();
  draft.planVersion = compiled.plan.version;
  draft.judgement = compiled.judge(draft.source, draft.envelope, receipt.receivedAtMs);
  if (compiled.plan.sources[draft.source]?.ip === "drop") draft.country = undefined;
  const { refused, trims } = draft.judgement;
  if (trims.length > 0) draft.trimmed = [...new Set(trims.map(({ path }) => path))];
  if (refused !== undefined) planCounts.add(draft.source, draft.planVersion, draft.judgement);
  return refused;
}

function serialize(draft: Draft, intake: Intake): DropReason | undefined {
  draft.text = JSON.stringify(draft.envelope);
  if (intake.lines.length + draft.text.length > MAX_REQUEST_CHARS) return "batch_too_large";
  return isTooLarge(draft) ? "event_too_large" : undefined;
}

/** The limit is on the message as it was sent. What is left of it tells as much, unless the plan took something out. */
function isTooLarge({ item, text, judgement }: Draft): boolean {
  if (judgement.trims.length > 0 && mayExceed(item, MAX_EVENT_BYTES) && exceeds(item, MAX_EVENT_BYTES))
    return true;
  if (text.length * MAX_UTF8_BYTES_PER_CHAR <= MAX_EVENT_BYTES) return false; // the usual case, not measured
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_EVENT_BYTES) return false;
  return bytes > MAX_EVENT_BYTES + STAMP_BYTES || exceeds(item, MAX_EVENT_BYTES);
}

function dedupe(draft: Draft, intake: Intake, dependencies: StepDependencies): DropReason | undefined {
  const { keys, rows } = intake;
  hashKey(keys, rows, draft.source ?? "", draft.envelope.messageId, dependencies.dedupe.seed);
  if (dependencies.dedupe.add(keys, rows)) return undefined;
  intake.duplicates += 1;
  return "duplicate";
}

function append(draft: Draft, intake: Intake, { planCounts }: StepDependencies): undefined {
  const { source, country, planVersion, judgement, trimmed, envelope } = draft;
  if (source === undefined) return;
  const { contact } = judgement;
  intake.lines += toLine(
    { source, sequence: 0, country, planVersion, sentPlanVersion: 0, trimmed },
    envelope,
    draft.text,
  );
  intake.rows += 1;
  if (trimmed.length > 0) planCounts.add(source, planVersion, judgement);
  if (contact !== undefined)
    intake.contactLines += toContactLine(contact, envelope.receivedAt, randomInt(SHUFFLE_LIMIT - 1));
}

function sentMessageId(item: unknown): string | null {
  return isObject(item) && typeof item.messageId === "string" ? item.messageId : null;
}

function toDraft(item: unknown, source: Source | undefined): Draft {
  return {
    item,
    source,
    envelope: UNSTAMPED,
    country: undefined,
    planVersion: 0,
    judgement: UNJUDGED,
    trimmed: NO_PATHS,
    text: "",
  };
}

const NO_PATHS: readonly string[] = Object.freeze([]);
const UNJUDGED: Judgement = Object.freeze({
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
