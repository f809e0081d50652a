/**
 * Implements `candor plan check`, which reports a plan's faults, what needs attention, and changes that the
 * plan hides.
 */
import { readFileSync } from "node:fs";
import {
  checkNewVersion,
  diffPlans,
  hashPlan,
  loadPlan,
  locateInPlan,
  PLAN_SOURCES,
  type Plan,
  type PlanDifference,
  PlanError,
  type PlanFault,
} from "@candor/plan";
import { CandorError, readPlan } from "@candor/server";
import { type Colours, coloursFor, endWithReader, print, toSafeJson, toSafeText } from "../terminal.ts";
import { type Attention, listAttention } from "./attention.ts";
import { renderDifferences } from "./diff.ts";
import { type FileHistory, isSameText, MAX_COMMITS, type PlanCommit, readHistory } from "./git-history.ts";
import { findPlanFile } from "./plan-file.ts";

/** What `--json` prints. */
interface CheckResult {
  readonly ok: boolean;
  readonly file: string;
  readonly faults: readonly PlanFault[];
  /** Null if the plan cannot be loaded; `history` is then null too. */
  readonly plan: (Pick<Plan, "product" | "version"> & { readonly hash: string }) | null;
  readonly sources: readonly string[];
  readonly events: number;
  readonly attention: readonly Attention[];
  readonly history: Comparison | null;
}

/** The comparison with an earlier version in git. */
interface Comparison {
  /** `HEAD` or a commit. Null if there was nothing to compare with. */
  readonly revision: string | null;
  /**
   * Why there was nothing to compare with, or why this version may have been introduced before `revision`
   * (git's history is cut off). Null if the comparison is complete.
   */
  readonly why: string | null;
  readonly differences: readonly PlanDifference[];
  /** What is wrong with `version` or a `since`, and what to write. Null if nothing is wrong. */
  readonly problem: string | null;
}

/**
 * Checks a plan and prints the result. Resolves to 1 if the plan has a fault or hides a change (see
 * `checkNewVersion`), otherwise to 0, also if there is nothing to compare with.
 * @throws CandorError `plan_unreadable`, `settings_invalid`
 */
export async function checkPlan(
  named: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  endWithReader();
  const result = check(findPlanFile(named), Date.now());
  await print(
    json ? `${toSafeJson(JSON.stringify(result))}\n` : renderResult(result, coloursFor(process.stdout)),
  );
  return result.ok ? 0 : 1;
}

function check(file: string, nowMs: number): CheckResult {
  try {
    const plan = readPlan(file);
    const text = readFileSync(file, "utf8");
    const history = compareWithHistory(file, text, plan);
    const place = locateInPlan(text, ["version"]);
    return {
      ok: history.problem === null,
      file,
      faults: history.problem === null ? [] : [{ file, ...place, path: "version", message: history.problem }],
      plan: { product: plan.product, version: plan.version, hash: hashPlan(plan) },
      sources: PLAN_SOURCES.filter((source) => plan.sources[source] !== undefined),
      events: plan.events.length,
      attention: listAttention(plan, nowMs),
      history,
    };
  } catch (error) {
    if (!(error instanceof CandorError) || !(error.cause instanceof PlanError)) throw error;
    const { faults } = error.cause;
    return { ok: false, file, faults, plan: null, sources: [], events: 0, attention: [], history: null };
  }
}

function compareWithHistory(file: string, text: string, plan: Plan): Comparison {
  const { value: history, fault } = readHistory(file);
  if (history === undefined) return uncompared(fault);
  const base = findBase(history, text, plan.version);
  if (base.text === undefined) return uncompared(base.why);
  const { revision, why } = base;
  try {
    const older = loadPlan(base.text, `${revision}:${file}`);
    const problem = checkNewVersion(older, plan) ?? null;
    return { revision, why, differences: diffPlans(older, plan), problem };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return uncompared(`the plan of ${revision} cannot be read`);
  }
}

function uncompared(why: string): Comparison {
  return { revision: null, why, differences: [], problem: null };
}

/** Why the history has no older version of the file. */
const END_SENTENCES: Readonly<Record<FileHistory["end"], string>> = {
  first: "git has no earlier version of it",
  shallow: "git has the last commits only; fetch the whole history",
  limit: `only the file's last ${MAX_COMMITS} commits are read`,
};

/**
 * The revision to compare with, and why this version may have been introduced before it (null if not). Or why
 * there is no such revision.
 */
type Base =
  | { readonly revision: string; readonly text: string; readonly why: string | null }
  | { readonly text: undefined; readonly why: string };

/**
 * Finds the plan to compare with: the plan as it was when its version was introduced, because consents for
 * this version were given for that plan. If the plan has not changed since, or its version is not committed
 * yet, uses the newest committed plan before it. If the version number fell, uses the newest plan with a
 * higher version.
 */
function findBase({ commits, end }: FileHistory, text: string, version: number): Base {
  const higher = readFirst(commits.filter((commit) => (commit.version ?? 0) > version));
  if (higher !== undefined) return { ...higher, why: null };
  // A version that was reverted and introduced again is as old as its first commit.
  const index = commits.findLastIndex((commit) => commit.version === version);
  const introduced = readFirst(commits.slice(index, index + 1));
  if (introduced !== undefined && !isSameText(introduced.text, text)) {
    const isCut = index === commits.length - 1 && end !== "first";
    return { ...introduced, why: isCut ? END_SENTENCES[end] : null };
  }
  const before = readFirst(commits.slice(index + 1));
  return before === undefined ? { text: undefined, why: END_SENTENCES[end] } : { ...before, why: null };
}

/** Reads the file at the first of these commits that contains it; undefined if none does. */
function readFirst(commits: readonly PlanCommit[]) {
  for (const { revision, read } of commits) {
    const text = read();
    if (text !== undefined) return { revision, text };
  }
  return undefined;
}

function renderResult(result: CheckResult, colours: Colours): string {
  const { file, faults, plan, sources, events, attention, history } = result;
  if (plan === null || history === null)
    return `${renderFaults(faults)}${colours.red(`${countOf(faults.length, "fault")}.`)}\n`;
  const summary = `${file}: ${plan.product}, version ${plan.version}; ${countOf(events, "event")} of ${sources.join(", ")}.`;
  const differences = renderDifferences(history.differences, colours);
  return [
    `${toSafeText(summary)}\n`,
    `Hash of what it collects: ${plan.hash}\n`,
    ...attention.map(
      ({ where, text }) => `${colours.yellow("Attention")}  ${toSafeText(`${where}: ${text}`)}\n`,
    ),
    renderComparison(history),
    differences === "" ? "" : `\n${differences}`,
    faults.length === 0 ? "" : `\n${colours.red(renderFaults(faults))}`,
  ].join("");
}

function renderFaults(faults: readonly PlanFault[]): string {
  return faults
    .map(({ file, line, column, path, message }) =>
      toSafeText(`${file}:${line}:${column} ${path}: ${message}`),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function renderComparison({ revision, why, differences }: Comparison): string {
  if (revision === null) return `Not compared with an earlier version: ${toSafeText(why ?? "")}.\n`;
  const found = differences.length === 0 ? "nothing differs" : countOf(differences.length, "difference");
  const limit = why === null ? "" : ` The version may be older: ${why}.`;
  return `Compared with ${revision}: ${found}.${limit}\n`;
}

function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
