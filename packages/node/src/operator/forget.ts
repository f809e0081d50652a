/** Runs the command `forget`: asks the collector to delete, waits, and prints the deletion receipt. */
import { type Fields, textOf, toFields } from "@candor/envelope/unknown-value";
import { FORGET_TIMEOUT_MS } from "./collector.ts";
import { type AskOptions, askAsInstance, asOwnInstance } from "./own-instance.ts";
import {
  type Colours,
  coloursFor,
  endWithReader,
  print,
  report,
  toSafeJson,
  toSafeText,
} from "./terminal.ts";

/** When to report that there is no answer yet. A collector answers only after the files are deleted. */
const TOLD_AFTER_MS = 5000;
const STILL_ASKING =
  "The collector has not answered yet. Deleting can take minutes; Ctrl-C does not undo it.";
const GOES_ON =
  "Telemetry itself has not changed: what the product sends from now on, including what waits in this folder, is stored again.\n";
const LABEL_CHARS = 28;

/**
 * Asks the collector to delete everything it holds about a state folder's instance, and prints the deletion
 * receipt. Leaves the folder unchanged.
 * @returns 0, or 2 if the collector could not be asked or refused, or if the folder cannot be read or has no
 * instance to ask as
 */
export async function forgetInstance(
  folder: string,
  { url: given, json = false }: AskOptions,
): Promise<number> {
  endWithReader();
  return asOwnInstance(folder, given, async ({ instance, url }) => {
    const question = { action: "forget", timeoutMs: FORGET_TIMEOUT_MS } as const;
    await printReceipt(askAsInstance(url, instance, question), json);
    if (!json) await print(GOES_ON);
    return 0;
  });
}

/**
 * Waits for a deletion receipt, reports once if that takes long, and prints it.
 * @throws the error of `asking`
 */
export async function printReceipt(asking: Promise<Fields>, json: boolean): Promise<void> {
  const timer = setTimeout(report, TOLD_AFTER_MS, STILL_ASKING);
  const receipt = await asking.finally(() => clearTimeout(timer));
  await print(
    json ? `${toSafeJson(JSON.stringify(receipt))}\n` : renderReceipt(receipt, coloursFor(process.stdout)),
  );
}

/** Renders a deletion receipt for people. */
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
