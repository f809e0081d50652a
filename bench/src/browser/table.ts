/** Renders the table that compares the browser SDKs. */
import { formatCount, formatMs, markdownTable } from "../table.ts";
import type { BrowserFigures } from "./measure.ts";
import { SUBJECTS } from "./subjects.ts";

const HEADER = [
  "browser SDK",
  "bytes, brotli",
  "requests before consent",
  "cookies before / after",
  "storage entries before / after",
  "main thread, ms per 1,000 clicks",
  "lost of these 1,000",
  "lost of 100 clicks at close",
  "counted twice after a retry",
  "lost in a retry",
];

/** Renders one row per SDK, in the given order, and below the table one note per SDK. */
export function browserTable(figures: readonly BrowserFigures[]): string {
  const rows = figures.map((of) => [
    SUBJECTS[of.name].title,
    formatCount(of.bytes),
    String(of.requestsBefore),
    `${of.cookiesBefore} / ${of.cookiesAfter}`,
    `${of.entriesBefore} / ${of.entriesAfter}`,
    formatMs(of.clicksMs),
    formatCount(of.clicksLost),
    String(of.lost),
    String(of.copies),
    String(of.lostInRetry),
  ]);
  const notes = figures.map(
    ({ name }) => `- ${SUBJECTS[name].title}${versionOf(name)}: ${SUBJECTS[name].note}.`,
  );
  return `${markdownTable(HEADER, rows)}\n\n${notes.join("\n")}`;
}

function versionOf(name: BrowserFigures["name"]): string {
  const { npm } = SUBJECTS[name];
  return npm === undefined ? "" : ` ${npm}`;
}
