/** Compares the messages that were sent with those that a collector holds, and describes the result. */
import { type Fields, textOf, toFields } from "@candor/envelope/unknown-value";
import { type Colours, toSafeText } from "./terminal.ts";

/** How one field differs between the outbox and the collector. */
export interface FieldDifference {
  readonly path: string;
  /**
   * `trimmed`: only in the outbox; `added`: only at the collector; `reduced`: redacted or hashed there;
   * `changed`: any other difference.
   */
  readonly kind: "trimmed" | "reduced" | "changed" | "added";
}

/** A message of the outbox that contains the instance's id, so that the collector can be asked for it. */
export interface OwnMessage {
  readonly state: "sent" | "waiting";
  readonly message: Fields;
}

/** The result of comparing the collector's messages with the outbox. The lists name messages by messageId. */
export interface Comparison {
  /** Number of messages that were sent and contain this instance's id. */
  readonly sent: number;
  /** Number of messages that contain this instance's id and have not been sent yet. */
  readonly waiting: number;
  /** Number of this instance's messages that the collector holds. */
  readonly held: number;
  /** Number of messages held as they were sent, apart from expected changes. */
  readonly same: number;
  /** Messages that were sent, but that the collector does not hold. */
  readonly missingThere: readonly string[];
  /** Messages that the collector holds, but that the outbox lacks although it keeps messages this recent. */
  readonly missingHere: readonly string[];
  /** Number of messages that the collector holds and that are older than what the outbox keeps. */
  readonly older: number;
  /** Messages that the collector holds differently from how they were sent. */
  readonly differing: readonly { readonly messageId: string; readonly fields: readonly FieldDifference[] }[];
  /** Paths whose values the collector removed, redacted or hashed, each with the number of messages. */
  readonly trimmed: Readonly<Record<string, number>>;
}

/** Fields that the collector adds. The docs and the plan's page name each of them. */
const ADDED: ReadonlySet<string> = new Set([
  "candor",
  "receivedAt",
  "sentAt",
  "originalTimestamp",
  "integrations",
  "context.library",
  "context.ip",
]);
const ID_NAMES = new Set(["userId", "anonymousId", "groupId", "previousId"]);
/** The JSON text of one hash, or of a list of hashes. */
const HASHES = /^(?:"[0-9a-f]{32,64}"|\[(?:"[0-9a-f]{32,64}",?)+\])$/;
/** The JSON text of one hash. */
const PSEUDONYM = /^"[0-9a-f]{32,64}"$/;

/**
 * Compares the messages of an outbox with those that the collector holds, both by messageId.
 * @param oldestMs epoch milliseconds; older messages may no longer be in the outbox
 */
export function compareMessages(
  own: ReadonlyMap<string, OwnMessage>,
  held: ReadonlyMap<string, Fields>,
  oldestMs: number,
): Comparison {
  const differing: { messageId: string; fields: readonly FieldDifference[] }[] = [];
  const trimmed: Record<string, number> = {};
  const missingHere: string[] = [];
  let same = 0;
  for (const [messageId, envelope] of held) {
    const mine = own.get(messageId);
    if (mine === undefined) {
      if (Date.parse(textOf(envelope.originalTimestamp ?? envelope.receivedAt)) >= oldestMs)
        missingHere.push(messageId);
      continue;
    }
    const fields = compareFields(mine.message, envelope);
    for (const { path, kind } of fields) {
      if (kind === "trimmed" || kind === "reduced") trimmed[path] = (trimmed[path] ?? 0) + 1;
    }
    const unexpected = fields.filter(({ kind }) => kind === "changed" || kind === "added");
    if (unexpected.length === 0) same += 1;
    else differing.push({ messageId, fields: unexpected });
  }
  const all = [...own];
  const sent = all.filter(([, { state }]) => state === "sent");
  return {
    sent: sent.length,
    waiting: all.length - sent.length,
    held: held.size,
    same,
    missingThere: sent.filter(([messageId]) => !held.has(messageId)).map(([messageId]) => messageId),
    missingHere,
    older: held.size - same - differing.length - missingHere.length,
    differing,
    trimmed,
  };
}

/**
 * Whether the collector holds all sent messages, changed only as expected, and no recent message that the
 * outbox lacks.
 */
export function isInOrder({ missingThere, missingHere, differing }: Comparison): boolean {
  return missingThere.length + missingHere.length + differing.length === 0;
}

/**
 * The fields of one message whose values at the collector differ from what was sent. Ignores `writeKey`,
 * `candor` and the fields that every collector adds.
 */
export function compareFields(sent: Fields, envelope: Fields): readonly FieldDifference[] {
  const { timestamp, writeKey: _key, candor: _candor, ...mine } = sent;
  const { timestamp: corrected, ...theirs } = envelope;
  const here = flatten(mine);
  const there = flatten(theirs);
  const differences: FieldDifference[] = [];
  if (Date.parse(textOf(timestamp)) !== Date.parse(textOf(envelope.originalTimestamp ?? corrected))) {
    differences.push({ path: "timestamp", kind: "changed" });
  }
  for (const [path, value] of here) {
    const kept = there.get(path);
    if (kept === undefined) differences.push({ path, kind: "trimmed" });
    else if (kept !== value)
      differences.push({ path, kind: isReduced(path, value, kept) ? "reduced" : "changed" });
  }
  for (const path of there.keys()) {
    if (!here.has(path) && !isAdded(path)) differences.push({ path, kind: "added" });
  }
  return differences;
}

function isReduced(path: string, sent: string, kept: string): boolean {
  if (path === "context.userAgent" || path === "context.ip") return true;
  if (HASHES.test(sent) && HASHES.test(kept)) return true;
  return ID_NAMES.has(path) && PSEUDONYM.test(kept);
}

/** Whether the collector adds this field, or an object that contains it. */
function isAdded(path: string): boolean {
  const parts = path.split(".");
  return parts.some((_, count) => ADDED.has(parts.slice(0, count + 1).join(".")));
}

/** Maps the path of every value that is not an object to its JSON text. */
function flatten(fields: Fields, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [name, value] of Object.entries(fields)) {
    const inner = toFields(value);
    if (inner === undefined) flat.set(`${prefix}${name}`, JSON.stringify(value));
    else for (const [path, text] of flatten(inner, `${prefix}${name}.`)) flat.set(path, text);
  }
  return flat;
}

/**
 * How many entries of each list are printed for people. The rest are only counted; --json prints every entry.
 */
const SHOWN = 20;
const LABEL_CHARS = 31;

export interface ComparedWith {
  readonly instanceId: string;
  readonly collector: string;
  /** Number of sent messages that do not contain the instance's id, which the collector cannot attribute. */
  readonly notAsked: number;
  /**
   * Up to when the collector's store is complete, by its own clock. Events received later may still be in its
   * log.
   */
  readonly storedUntil: string | undefined;
}

/** Says how many sent messages the result does not cover. */
function notAskedText(notAsked: number): string {
  if (notAsked === 0) return "";
  return ` ${notAsked} more ${notAsked === 1 ? "was" : "were"} sent without the instance's id, such as browsers' messages: the collector cannot tell whose they are.`;
}

/** Has a sentence for each kind of difference that was found. */
function describeDifferences({ sent, missingThere, missingHere, differing }: Comparison): string {
  const holds = missingThere.length + differing.length === 0 ? ["The collector stores what was sent."] : [];
  const sentences: readonly (readonly [count: number, text: string])[] = [
    [missingThere.length, `The collector does not store ${missingThere.length} of ${sent} sent messages.`],
    [
      differing.length,
      `It stores ${differing.length} differently from how ${differing.length === 1 ? "it was" : "they were"} sent.`,
    ],
    [
      missingHere.length,
      `It also stores ${missingHere.length} with this instance's id that were never in this outbox: another copy of this instance may send too.`,
    ],
  ];
  return [...holds, ...sentences.flatMap(([count, text]) => (count === 0 ? [] : [text]))].join(" ");
}

/**
 * Renders a comparison for people: first the result, then the numbers, then the messages that are missing or
 * differ, and the paths that were trimmed.
 */
export function renderComparison(comparison: Comparison, about: ComparedWith, colours: Colours): string {
  const { sent, waiting, held, same, older, missingThere, missingHere, differing, trimmed } = comparison;
  const row = (label: string, value: unknown): string =>
    `  ${toSafeText(label).padEnd(LABEL_CHARS)}  ${toSafeText(String(value))}\n`;
  const list = (title: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ""
      : `${colours.bold(title)}\n${lines
          .slice(0, SHOWN)
          .map((line) => `  ${toSafeText(line)}\n`)
          .join("")}${lines.length > SHOWN ? `  and ${lines.length - SHOWN} more\n` : ""}`;
  const verdict = isInOrder(comparison)
    ? `${colours.green("The collector stores exactly what was sent.")}${notAskedText(about.notAsked)}`
    : colours.red(describeDifferences(comparison));
  return [
    `${verdict}\n`,
    row("instance", about.instanceId),
    row("collector", about.collector),
    row("sent, in the outbox", sent),
    row("waiting, not sent yet", waiting),
    row("stored by the collector", held),
    row("stored as they were sent", same),
    row("sent without the instance's id", about.notAsked),
    row("older than the outbox keeps", older),
    missingThere.length === 0 || about.storedUntil === undefined
      ? ""
      : row("complete up to", `${about.storedUntil}, by the collector's clock`),
    list(
      "Sent but not stored: withheld here by an answer, dropped by the collector, deleted there since, or lost",
      missingThere,
    ),
    list("Stored but never in this outbox: another copy of this instance may send too", missingHere),
    list(
      "Stored differently from how they were sent",
      differing.map(
        ({ messageId, fields }) =>
          `${messageId}  ${fields.map(({ path, kind }) => `${path} ${kind}`).join(", ")}`,
      ),
    ),
    list(
      "Removed or redacted by the collector, as its plan says",
      Object.entries(trimmed).map(([path, count]) => `${path}  in ${count}`),
    ),
  ].join("");
}
