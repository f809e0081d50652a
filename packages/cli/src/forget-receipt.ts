import { type Fields, textOf, toFields } from "./live-message.ts";
import { toSafeText } from "./safe-text.ts";
import type { Colours } from "./terminal.ts";

const LABEL_CHARS = 28;

/** The receipt of a deletion for people: of whom, from where how much, when, and what it does not cover. */
export function renderReceipt(
  { forgotten, requestedAt, completedAt, removed, notes }: Fields,
  colours: Colours,
): string {
  const row = (label: string, value: unknown): string =>
    `  ${toSafeText(label).padEnd(LABEL_CHARS)}  ${toSafeText(textOf(value))}\n`;
  const places = toList(removed).map((place) => {
    const { where, rows } = toFields(place) ?? {};
    return row(textOf(where), `${textOf(rows)} ${rows === 1 ? "row" : "rows"}`);
  });
  return [
    `${colours.bold("Forgotten")}\n`,
    ...Object.entries(toFields(forgotten) ?? {}).map(([kind, id]) => row(kind, id)),
    row("requested at", requestedAt),
    row("gone at", completedAt),
    `${colours.bold("Removed")}\n`,
    ...places,
    `${colours.bold("Notes")}\n`,
    ...toList(notes).map((note) => `  - ${toSafeText(textOf(note))}\n`),
  ].join("");
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
