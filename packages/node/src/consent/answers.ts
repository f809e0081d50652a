/** Stores answers as consent records, and writes and prints the notice. */
import { mkdirSync, writeSync } from "node:fs";
import {
  type Answer,
  type ConsentRecord,
  type Giver,
  latestConsentRecord,
  readConsentRecords,
  writeConsentRecord,
} from "@candor/consent";
import type { Plan } from "@candor/plan/runtime";
import { SOURCES, type Source } from "../scope.ts";
import type { Settings } from "../settings.ts";
import { appendText, readText } from "../state/plain-file.ts";
import { replaceFile, type StateFolder } from "../state/state-folder.ts";

export const ANSWERS: readonly Answer[] = ["yes", "no", "notice"];

/** Whether an answer and its sources are valid: a product may pass anything. */
export function isAnswer(sources: readonly Source[], answer: Answer): boolean {
  const isForSources = sources.length > 0 && sources.every((source) => SOURCES.includes(source));
  return isForSources && ANSWERS.includes(answer);
}

export interface AnswersOptions {
  readonly folder: StateFolder;
  readonly settings: Pick<Settings, "plan" | "planHash">;
  readonly now: () => number;
}

export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /**
   * Stores an answer for each of the sources. A notice that was not given in the inspector is skipped for a
   * source that already has a Yes, a No, or a notice of this plan or a newer one.
   * @returns false if a notice given elsewhere than in the inspector is not stored, because the stored
   * answers cannot be read or parsed: one of them may be a No
   * @throws a file system error
   */
  store(sources: readonly Source[], answer: Answer, by: Giver): boolean {
    const isByPerson = answer !== "notice" || by === "inspector";
    const asked = isByPerson ? sources : this.#openToNotice(sources);
    if (asked === undefined) return false;
    const { folder, settings, now } = this.#options;
    const time = new Date(now()).toISOString();
    const about = { answer, time, planVersion: settings.plan.version, planHash: settings.planHash, by };
    if (asked.length > 0)
      storeConsentRecords(
        folder,
        asked.map((source) => ({ source, ...about })),
      );
    return true;
  }

  #openToNotice(sources: readonly Source[]): readonly Source[] | undefined {
    const text = readText(this.#options.folder.receipts);
    const receipts = text === null ? undefined : readConsentRecords(text ?? "");
    if (receipts === undefined) return undefined;
    return sources.filter((source) => this.#isReplacedByNotice(latestConsentRecord(receipts, source)));
  }

  /**
   * A stored Yes or No is not replaced, because it was a decision. A notice of this plan or a newer one is
   * not replaced either, because it said at least as much.
   */
  #isReplacedByNotice(stored: ConsentRecord | undefined): boolean {
    if (stored === undefined) return true;
    const { plan, planHash } = this.#options.settings;
    const isSame = stored.planVersion === plan.version && stored.planHash === planHash;
    return stored.answer === "notice" && stored.planVersion <= plan.version && !isSame;
  }
}

/**
 * Appends answers to receipts.ndjson. A file that cannot be parsed denies everything, so a new answer
 * replaces the file. Each No that can be read in the file is kept, because an answer for one source says
 * nothing about the others.
 * @throws a file system error
 */
export function storeConsentRecords(folder: StateFolder, receipts: readonly ConsentRecord[]): void {
  const lines = receipts.map(writeConsentRecord).join("");
  mkdirSync(folder.dir, { recursive: true, mode: 0o700 });
  const text = readText(folder.receipts);
  if (typeof text === "string" && readConsentRecords(text) === undefined)
    replaceFile(folder.receipts, `${refusalsIn(text)}${lines}`);
  else appendText(folder.receipts, lines);
}

function refusalsIn(text: string): string {
  const lines = text.split("\n").map((line) => `${line}\n`);
  return lines.filter((line) => readConsentRecords(line)?.[0]?.answer === "no").join("");
}

const STDERR = 2;

/** The notice as plain text, which ends with a line break. */
export function writeNotice({ product, turnOff, promises, contact }: Plan): string {
  return [
    `${product} sends telemetry to its makers. What it sends is first written as text into its state folder.`,
    ...promises,
    "To turn it off:",
    ...turnOff.map((step) => `  - ${step}`),
    `Questions: ${contact}`,
    "",
  ].join("\n");
}

/**
 * Writes to stderr directly, because `process.stderr` would end the process once its reader is gone.
 * @throws if stderr cannot be written to
 */
export function printNotice(notice: string): void {
  writeSync(STDERR, notice);
}
