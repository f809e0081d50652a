import { CandorError, readPlan } from "@candor/server";
import { listAttention } from "../plan/attention.ts";
import type { PlanFacts } from "./facts.ts";
import { type Check, fail, ok, warn } from "./verdict.ts";

/** Reads the plan as a start would. */
export function examinePlan(file: string, nowMs: number): PlanFacts {
  try {
    const plan = readPlan(file);
    const attention = listAttention(plan, nowMs).map(({ where, text }) => `${where}: ${text}`);
    return { file, fault: undefined, product: plan.product, version: plan.version, attention };
  } catch (error) {
    if (!(error instanceof CandorError)) throw error;
    return { file, fault: error.message, product: "", version: 0, attention: [] };
  }
}

/** The plan can be used, and nothing about it needs attention. */
export function checkPlan({ file, fault, product, version, attention }: PlanFacts): Check {
  if (fault !== undefined) return fail("plan", fault);
  const sentence = `${product}, version ${version} (${file}).`;
  if (attention.length === 0) return ok("plan", sentence);
  return warn("plan", [sentence, ...attention].join("\n"));
}
