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
import type { Source } from "./config.ts";
import type { Dedupe } from "./log/dedupe.ts";
import { hashKey } from "./log/key-hash.ts";
import type { Log } from "./log/log.ts";
import type { DropReason } from "./reasons.ts";
import { toLine } from "./store/row.ts";

const MAX_EVENT_BYTES = 32 * 1024;
/** What stamping may add to a message, about. */
const STAMP_BYTES = 1024;
/** A batch's context is filled into each of its messages: a body of 1 MiB could become gigabytes. */
const MAX_REQUEST_CHARS = 8 * 1024 * 1024;
const MAX_UTF8_BYTES_PER_CHAR = 3;

/** What the steps work with, beside the messages. */
export interface PipelineDependencies {
  readonly ids: IdSource;
  readonly dedupe: Dedupe;
  readonly log: Log;
  /** The source of a write key that a single message carries. */
  readonly sourceOfKey: (writeKey: string) => Source | undefined;
  /** Sees every message with its verdict, when somebody watches. */
  readonly watch: (() => ((draft: Draft, reason: DropReason | undefined) => void) | undefined) | undefined;
}

/** One request on its way: what its messages share, and what the steps gather from them. */
export interface Intake {
  /** Undefined when each message must name its own by its write key. */
  readonly source: Source | undefined;
  readonly pathType: MessageType | undefined;
  readonly batch: BatchDefaults;
  readonly receipt: Receipt;
  /** Becomes context.ip of client messages that bring none. */
  readonly peerAddress: string | undefined;
  /** Dedupe keys of the kept rows, two words each. */
  readonly keys: Uint32Array;
  /** The kept rows, ready for the log. */
  lines: string;
  rows: number;
  duplicates: number;
}

/** One message on its way: what the steps so far have made of it. */
export interface Draft {
  readonly item: unknown;
  source: Source | undefined;
  envelope: Envelope;
  /** The envelope as JSON. */
  text: string;
}

/** Keeps the message (undefined) or drops it for a reason. */
type Step = (draft: Draft, intake: Intake, dependencies: PipelineDependencies) => DropReason | undefined;

/**
 * The way of every message. Order matters: nothing may be added to the envelope after `serialize`; `dedupe` stands
 * behind all that can drop a message, because what it has seen counts as kept; `append` is last.
 */
const STEPS: readonly Step[] = [stamp, serialize, dedupe, append];

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
  dependencies: PipelineDependencies,
): Dropped[] {
  const dropped: Dropped[] = [];
  const watcher = dependencies.watch?.();
  for (const [index, item] of items.entries()) {
    const draft: Draft = { item, source: intake.source, envelope: UNSTAMPED, text: "" };
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
  const { rows, lines, duplicates } = intake;
  if (rows === 0) return duplicates === 0 ? Promise.resolve() : log.flushed();
  const keys = intake.keys.subarray(0, 2 * rows);
  return log.append(keys, lines).catch((error: unknown) => {
    known.forget(keys);
    throw error;
  });
}

function dropReason(
  draft: Draft,
  intake: Intake,
  dependencies: PipelineDependencies,
): DropReason | undefined {
  for (const step of STEPS) {
    const reason = step(draft, intake, dependencies);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function stamp(
  draft: Draft,
  intake: Intake,
  { ids, sourceOfKey }: PipelineDependencies,
): DropReason | undefined {
  const { item } = draft;
  draft.source ??=
    isObject(item) && typeof item.writeKey === "string" ? sourceOfKey(item.writeKey) : undefined;
  if (draft.source === undefined) return "unknown_write_key";
  const message = parseMessage(item, intake.batch, intake.pathType);
  if (typeof message === "string") return message;
  const keepsPeer = draft.source === "client" && intake.peerAddress !== undefined;
  const receipt = keepsPeer ? { ...intake.receipt, peerAddress: intake.peerAddress } : intake.receipt;
  draft.envelope = stampMessage(message, receipt, ids);
  return undefined;
}

function serialize(draft: Draft, intake: Intake): DropReason | undefined {
  draft.text = JSON.stringify(draft.envelope);
  const { length } = draft.text;
  if (intake.lines.length + length > MAX_REQUEST_CHARS) return "batch_too_large";
  if (length * MAX_UTF8_BYTES_PER_CHAR <= MAX_EVENT_BYTES) return undefined; // the usual case, not measured
  const bytes = Buffer.byteLength(draft.text);
  if (bytes <= MAX_EVENT_BYTES) return undefined;
  const isTooLarge = bytes > MAX_EVENT_BYTES + STAMP_BYTES || jsonBytes(draft.item) > MAX_EVENT_BYTES;
  return isTooLarge ? "event_too_large" : undefined;
}

/** The bytes of a value as JSON; without end for what is nested too deep to be written, though it could be read. */
function jsonBytes(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function dedupe(draft: Draft, intake: Intake, dependencies: PipelineDependencies): DropReason | undefined {
  const { keys, rows } = intake;
  hashKey(keys, rows, draft.source ?? "", draft.envelope.messageId, dependencies.dedupe.seed);
  if (dependencies.dedupe.add(keys, rows)) return undefined;
  intake.duplicates += 1;
  return "duplicate";
}

function append(draft: Draft, intake: Intake): undefined {
  if (draft.source === undefined) return undefined;
  intake.lines += toLine(draft.source, draft.envelope, draft.text);
  intake.rows += 1;
  return undefined;
}

function sentMessageId(item: unknown): string | null {
  return isObject(item) && typeof item.messageId === "string" ? item.messageId : null;
}

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
