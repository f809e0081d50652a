import { modeSwitch } from "@candor/plan/runtime";
import { ConsentGate } from "../consent/gate.ts";
import { readText } from "../state/plain-file.ts";
import { readKeptPlan } from "../state/plan-file.ts";
import type { StateFolder } from "../state/state-folder.ts";
import { describeSources, type SourceStatus } from "./status.ts";

/** How telemetry stands, as far as a state folder and the machine's policy tell. */
export interface KeptStanding {
  readonly product: string;
  readonly plan: { readonly version: number; readonly hash: string };
  /** The environment variables that turn it off or to `log`. */
  readonly switches: { readonly disable: string; readonly mode: string };
  /** What is sent and what is withheld, if nothing in the environment of the product's process stands against it. */
  readonly sources: readonly SourceStatus[];
}

/** Undefined: the folder holds no plan, because nothing is on there, or it cannot be understood. */
export function readKeptStanding(folder: StateFolder, policyFile: string): KeptStanding | undefined {
  const kept = readKeptPlan(folder.plan);
  if (kept === undefined) return undefined;
  const { plan, planHash } = kept;
  const products = [plan.product];
  const gate = new ConsentGate({ plan, planHash, products, environment: () => ({}), policyFile }, folder);
  return {
    product: plan.product,
    plan: { version: plan.version, hash: planHash },
    switches: { disable: plan.switches.disable, mode: modeSwitch(plan.product) },
    sources: describeSources(plan, readText(folder.receipts), (source) => gate.decisionsOf(source)),
  };
}
