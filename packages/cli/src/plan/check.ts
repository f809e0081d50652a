import { readFileSync } from "node:fs";
import {
  checkNewVersion,
  diffPlans,
  hashPlan,
  loadPlan,
  PLAN_SOURCES,
  type Plan,
  type PlanDifference,
  PlanError,
  type PlanFault,
} from "@candor/plan";
import { CandorError, readPlan } from "@candor/server";
import { type Colours, coloursFor, endWithReader, print, toSafeJson, toSafeText } from "../terminal.ts";
import { type Attention, listAttention } from "./attention.ts";
import { renderDifferences } from "./difference-lines.ts";
import { readCommitted } from "./git-history.ts";
import { findPlanFile } from "./plan-file.ts";

/** What `--json` prints. */
interface Verdict {
  readonly ok: boolean;
  readonly file: string;
  readonly faults: readonly PlanFault[];
  /** Null when there are faults, as is `history`. */
  readonly plan: (Pick<Plan, "product" | "version"> & { readonly hash: string }) | null;
  readonly sources: readonly string[];
  readonly events: number;
  readonly attention: readonly Attention[];
  readonly history: History | null;
}

/** The comparison with the version that git has. */
interface History {
  /** `HEAD` or a commit; null when there was nothing to compare with, and then `why` says so. */
  readonly revision: string | null;
  readonly why: string | null;
  readonly differences: readonly PlanDifference[];
  /** What is wrong with the version number, and what to write; null when nothing is. */
  readonly problem: string | null;
}

/**
 * `candor plan check`: everything that is wrong with a plan, what needs attention, and whether its version hides a
 * change since the last commit. 1 when something is wrong.
 * @throws CandorError `plan_unreadable`, `settings_invalid`
 */
export async function checkPlan(
  named: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  endWithReader();
  const verdict = examine(findPlanFile(named), Date.now());
  await print(
    json ? `${toSafeJson(JSON.stringify(verdict))}\n` : renderVerdict(verdict, coloursFor(process.stdout)),
  );
  return verdict.ok ? 0 : 1;
}

function examine(file: string, nowMs: number): Verdict {
  try {
    const plan = readPlan(file);
    const history = compareWithCommitted(file, plan);
    return {
      ok: history.problem === null,
      file,
      faults: [],
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

function compareWithCommitted(file: string, newer: Plan): History {
  const committed = readCommitted(file, readFileSync(file, "utf8"));
  const uncompared = (why: string): History => ({ revision: null, why, differences: [], problem: null });
  if (committed.why !== undefined) return uncompared(committed.why);
  const { revision, text } = committed;
  try {
    const older = loadPlan(text, `${revision}:${file}`);
    const problem = checkNewVersion(older, newer) ?? null;
    return { revision, why: null, differences: diffPlans(older, newer), problem };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return uncompared(`its version of ${revision} is not a plan that can be read`);
  }
}

function renderVerdict(verdict: Verdict, colours: Colours): string {
  const { file, faults, plan, sources, events, attention, history } = verdict;
  if (plan === null || history === null) {
    const lines = faults.map(({ line, column, path, message }) =>
      toSafeText(`${file}:${line}:${column} ${path}: ${message}`),
    );
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    return `${lines.join("\n")}\n${colours.red(`${count}.`)}\n`;
  }
  const summary = `${file}: ${plan.product}, version ${plan.version}; ${countOf(events, "event")} of ${sources.join(", ")}.`;
  return [
    `${toSafeText(summary)}\n`,
    `Hash of what it collects: ${plan.hash}\n`,
    ...attention.map(
      ({ where, text }) => `${colours.yellow("Attention")}  ${toSafeText(`${where}: ${text}`)}\n`,
    ),
    renderHistory(history, colours),
  ].join("");
}

function renderHistory({ revision, why, differences, problem }: History, colours: Colours): string {
  if (revision === null) return `Not compared with an earlier version: ${toSafeText(why ?? "")}.\n`;
  const found = differences.length === 0 ? "nothing differs" : countOf(differences.length, "difference");
  const title = `Compared with ${revision}: ${found}.\n`;
  if (problem === null) return title;
  return `${title}\n${renderDifferences(differences, colours)}\n${colours.red(toSafeText(problem))}\n`;
}

function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
