import type { Plan } from "@candor/plan/runtime";
import { readPlan } from "../generated-plan.ts";
import { readText } from "./plain-file.ts";
import { readObject, replaceFile } from "./state-folder.ts";

/** The plan that the product enforces. */
export interface KeptPlan {
  readonly plan: Plan;
  /** SHA-256 of what it collects, lower-case hex. */
  readonly planHash: string;
}

/** Keeps the plan beside what is sent under it, for whoever looks into the folder without the product. @throws the file system's error */
export function keepPlan(file: string, { plan, planHash }: KeptPlan): void {
  const text = `${JSON.stringify({ planHash, plan })}\n`;
  if (readText(file) !== text) replaceFile(file, text);
}

/** Undefined: there is none, or of a form that this version does not know. */
export function readKeptPlan(file: string): KeptPlan | undefined {
  const { planHash, plan } = readObject(file) ?? {};
  const read = readPlan({ hash: planHash, content: plan });
  return read && { plan: read.content, planHash: read.hash };
}
