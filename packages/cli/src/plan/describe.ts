/** Implements `candor plan describe`. */
import { readFileSync } from "node:fs";
import { describePlan, renderHtml, renderMarkdown } from "@candor/plan";
import { causeOf, makeSamples, readPlan } from "@candor/server";
import { endWithReader, print, quote } from "../terminal.ts";
import { isSameText } from "./git-history.ts";
import { findPlanFile } from "./plan-file.ts";

export interface DescribeOptions {
  readonly html?: boolean;
  /**
   * The file of a page to compare with, instead of printing one. The page is HTML if `html` is set or the
   * file's name ends in `.html`.
   */
  readonly check?: string;
}

/**
 * Prints the page "what is collected" as Markdown or HTML, and resolves to 0. With `check`, prints no page,
 * and resolves to 1 if the given page differs or cannot be read.
 * @throws CandorError `plan_unreadable`, `plan_invalid`, `settings_invalid`
 */
export async function describe(named: string | undefined, options: DescribeOptions): Promise<number> {
  endWithReader();
  const { html = false, check } = options;
  const isHtml = html || check?.endsWith(".html") === true;
  const plan = readPlan(findPlanFile(named));
  const page = describePlan(plan, makeSamples(plan));
  const text = isHtml ? renderHtml(page) : renderMarkdown(page);
  if (check === undefined) {
    await print(text);
    return 0;
  }
  const fault = compare(check, text);
  if (fault === undefined) return 0;
  const words = ["npx candor plan describe", ...(isHtml ? ["--html"] : []), ...(named ? [quote(named)] : [])];
  process.stderr.write(`${check} ${fault}. Run: ${words.join(" ")} > ${quote(check)}\n`);
  return 1;
}

function compare(file: string, text: string): string | undefined {
  try {
    const isSame = isSameText(readFileSync(file, "utf8"), text);
    return isSame ? undefined : "is stale";
  } catch (error) {
    return `cannot be read (${causeOf(error)})`;
  }
}
