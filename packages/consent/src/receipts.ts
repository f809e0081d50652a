/** Reads and writes consent records, the lines of receipts.ndjson. */
import { SOURCES, type Source } from "./facts.ts";

const ANSWERS = ["yes", "no", "notice"] as const;
export type Answer = (typeof ANSWERS)[number];

const GIVERS = ["installer", "inspector", "environment", "product"] as const;
/** Where an answer was given. */
export type Giver = (typeof GIVERS)[number];

/** A consent record: one answer, for one source. */
export interface ConsentRecord {
  readonly source: Source;
  /** `notice`: the notice was shown, or the operator had the switch before the first start. */
  readonly answer: Answer;
  /** RFC 3339 in UTC, with or without fractions of a second: `2026-11-23T12:00:00.000Z`. */
  readonly time: string;
  /** The version of the plan that the answer was given for, 1 to 1000000. */
  readonly planVersion: number;
  /** SHA-256 of what that version of the plan collects, 64 lower-case hex digits. */
  readonly planHash: string;
  readonly by: Giver;
}

const KEY_COUNT = 6;
const MAX_PLAN_VERSION = 1_000_000;
const HASH = /^[0-9a-f]{64}$/;
/**
 * Checks the form but not the calendar, because a shell script cannot check dates and must reach the same
 * decision.
 */
const TIME =
  /^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z$/;

/**
 * Reads the consent records in the text of a `receipts.ndjson`, oldest first; empty for an empty text.
 * Undefined if any line is malformed or empty, or if the last line lacks its line break, for example because
 * the process was killed while writing it. Each line must be exactly as `writeConsentRecord` writes it, so
 * that a script without a JSON parser reads the same records.
 */
export function readConsentRecords(text: string): readonly ConsentRecord[] | undefined {
  const lines = text.split("\n");
  if (lines.pop() !== "") return undefined;
  const receipts: ConsentRecord[] = [];
  for (const line of lines) {
    const receipt = readLine(line);
    if (receipt === undefined) return undefined;
    receipts.push(receipt);
  }
  return receipts;
}

/** The answer in force for a source, which is its last one; undefined if it has none. */
export function latestConsentRecord(
  receipts: readonly ConsentRecord[],
  source: Source,
): ConsentRecord | undefined {
  return receipts.findLast((receipt) => receipt.source === source);
}

/**
 * Formats one line of `receipts.ndjson`, including its line break, to be appended in one call. Does not check
 * the values.
 */
export function writeConsentRecord(receipt: ConsentRecord): string {
  const { source, answer, time, planVersion, planHash, by } = receipt;
  return `${JSON.stringify({ source, answer, time, planVersion, planHash, by })}\n`;
}

function readLine(line: string): ConsentRecord | undefined {
  const value = readObject(line);
  if (value === undefined || Object.keys(value).length !== KEY_COUNT) return undefined;
  const { source, answer, time, planVersion, planHash, by } = value;
  if (!isOneOf(SOURCES, source) || !isOneOf(ANSWERS, answer) || !isOneOf(GIVERS, by)) return undefined;
  if (!isPlanVersion(planVersion) || !matches(TIME, time) || !matches(HASH, planHash)) return undefined;
  const receipt = { source, answer, time, planVersion, planHash, by };
  return writeConsentRecord(receipt) === `${line}\n` ? receipt : undefined;
}

function readObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isOneOf<Word extends string>(words: readonly Word[], value: unknown): value is Word {
  return words.some((word) => word === value);
}

function isPlanVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PLAN_VERSION;
}

function matches(form: RegExp, value: unknown): value is string {
  return typeof value === "string" && form.test(value);
}
