/**
 * Makes what the SDK benchmarks need on disk: the packed SDK, the plan, and a state folder for each product.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashPlan, loadPlan } from "@candor/plan";
import type { Place } from "./task.ts";

export type Workplace = {
  /** Makes a separate place for one product, with an empty state folder. */
  place(host: string): Place;
  remove(): void;
};

const PLAN_FILE = new URL("../../../plans/appsmith.yaml", import.meta.url);

export function makeWorkplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-sdk-"));
  const planFile = join(folder, "plan.json");
  const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), "plans/appsmith.yaml");
  // The other SDKs do not limit how often an event is sent, so Candor must not either.
  const content = { ...plan, events: plan.events.map((event) => ({ ...event, maxPerMinute: 1_000_000 })) };
  writeFileSync(planFile, JSON.stringify({ hash: hashPlan(plan), content }));
  let places = 0;
  return {
    place(host) {
      const stateDir = join(folder, `state-${places++}`);
      mkdirSync(stateDir, { mode: 0o700 });
      return { host, stateDir, planFile };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * @candor/node as a product installs it. The benchmark runs the installed files, as
 * it does for the other SDKs.
 */
export const CANDOR_FOLDER = join(ROOT, "packages/node/packed");

/** Packs the built SDK into `CANDOR_FOLDER`. */
export function packCandor(): void {
  const script = join(ROOT, "scripts/pack-node.mjs");
  execFileSync(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
}
