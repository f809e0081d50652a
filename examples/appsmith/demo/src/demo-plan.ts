/** Reads the plan that the demo's instances use, and checks that the collector uses it too. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isRecord } from "@candor/envelope/unknown-value";
import type { GeneratedPlan } from "@candor/node";
import { hashPlan, loadPlan, type Plan } from "@candor/plan";
import { type Collector, DemoFault } from "./collector.ts";

const PLAN_FILE = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));
/** The demo records weeks within a second, but the plan's limits count minutes of the machine's clock. */
const MAX_PER_MINUTE = 10_000_000;

export interface DemoPlan {
  readonly plan: Plan;
  readonly hash: string;
  /**
   * The plan in the form that `candor generate` exports for the SDK, but with limits that the demo does not
   * reach.
   */
  readonly generated: GeneratedPlan;
}

export function readDemoPlan(): DemoPlan {
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);
  const hash = hashPlan(plan);
  const events = plan.events.map((event) => ({ ...event, maxPerMinute: MAX_PER_MINUTE }));
  return { plan, hash, generated: { hash, content: JSON.parse(JSON.stringify({ ...plan, events })) } };
}

/**
 * Checks that the collector uses the demo's plan.
 * @throws DemoFault if it has another plan, which would drop or trim what the demo sends
 */
export async function checkPlanInForce({ url }: Collector, { plan }: DemoPlan): Promise<void> {
  const response = await fetch(`${url}/privacy.json`);
  const inForce: unknown = await response.json();
  const { product, version } = isRecord(inForce) ? inForce : {};
  if (product === plan.product && version === plan.version) return;
  throw new DemoFault(
    `The demo plays ${plan.product} with version ${plan.version} of plans/appsmith.yaml, but the Candor at ${url} has another plan in force. Start one without CANDOR_PLAN.`,
  );
}
