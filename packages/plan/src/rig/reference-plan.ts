/** For tests: the plan of the reference product. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPlan } from "../load.ts";
import type { Plan } from "../plan.ts";

export const REFERENCE_PLAN_FILE = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));
export const REFERENCE_PLAN: Plan = loadPlan(
  readFileSync(REFERENCE_PLAN_FILE, "utf8"),
  "plans/appsmith.yaml",
);
