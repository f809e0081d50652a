import type { Comparison } from "./compare-messages.ts";
import { isInOrder } from "./compare-messages.ts";
import { toSafeText } from "./safe-text.ts";
import type { Colours } from "./terminal.ts";

/** More of one kind are counted only; --json has them all. */
const SHOWN = 20;
const LABEL_CHARS = 31;

export interface ComparedWith {
  readonly instanceId: string;
  readonly collector: string;
  /** Sent messages in which the instance's id does not stand: the collector cannot tell whose they are. */
  readonly notAsked: number;
  /** By the collector's clock; what it took later may wait in its log. */
  readonly storedUntil: string | undefined;
}

/** A verdict is about what could be asked for alone. */
function notAskedText(notAsked: number): string {
  if (notAsked === 0) return "";
  return ` ${notAsked} more ${notAsked === 1 ? "was" : "were"} sent without the instance's id, such as browsers' messages: the collector cannot tell whose they are.`;
}

/** Names only the differences that were found: where a copy of the instance sends too, nothing is lost. */
function describeDifferences({ sent, missingThere, missingHere, differing }: Comparison): string {
  const holds = missingThere.length + differing.length === 0 ? ["The collector holds what was sent."] : [];
  const sentences: readonly (readonly [count: number, text: string])[] = [
    [
      missingThere.length,
      `The collector does not hold ${missingThere.length} of ${sent} messages that were sent.`,
    ],
    [differing.length, `The collector holds ${differing.length} otherwise than they were sent.`],
    [
      missingHere.length,
      `It also holds ${missingHere.length} of this instance's id that were never in this outbox: another copy of this instance may send too.`,
    ],
  ];
  return [...holds, ...sentences.flatMap(([count, text]) => (count === 0 ? [] : [text]))].join(" ");
}

/** A comparison for people: the verdict first, then the numbers, then each message that is not as it should be. */
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
    ? `${colours.green("The collector holds what was sent, and nothing else.")}${notAskedText(about.notAsked)}`
    : colours.red(describeDifferences(comparison));
  return [
    `${verdict}\n`,
    row("instance", about.instanceId),
    row("collector", about.collector),
    row("sent, in the outbox", sent),
    row("waiting, not sent yet", waiting),
    row("held by the collector", held),
    row("as they were sent", same),
    row("sent without the instance's id", about.notAsked),
    row("older than the outbox keeps", older),
    missingThere.length === 0 || about.storedUntil === undefined
      ? ""
      : row("all is stored that came until", `${about.storedUntil}, by the collector's clock`),
    list(
      "Sent, but not held: held back here by an answer, refused by the collector, deleted there since, or lost",
      missingThere,
    ),
    list("Held, but never in this outbox: another copy of this instance may send too", missingHere),
    list(
      "Held otherwise than they were sent",
      differing.map(
        ({ messageId, fields }) =>
          `${messageId}  ${fields.map(({ path, kind }) => `${path} ${kind}`).join(", ")}`,
      ),
    ),
    list(
      "Left out or reduced by the collector, as its plan has it",
      Object.entries(trimmed).map(([path, count]) => `${path}  in ${count}`),
    ),
  ].join("");
}
