import { setTimeout as sleep } from "node:timers/promises";
import { createAllowance } from "./allowance.ts";
import type { SilenceOptions } from "./assert-silent.ts";
import { setVariables } from "./environment.ts";
import { watchFiles } from "./file-watch.ts";
import { type Happening, type Report, SilenceError } from "./happening.ts";
import { watchNetwork } from "./network-watch.ts";
import { createPatches } from "./patches.ts";
import { watchProcesses } from "./process-watch.ts";

const SETTLE_MS = 200;

let isWatching = false;

/** See `assertSilent`. @throws SilenceError; what the function throws; an Error while another one is running */
export async function runSilently<Value>(
  run: () => Value | PromiseLike<Value>,
  options: SilenceOptions,
): Promise<Value> {
  if (isWatching)
    throw new Error(
      "assertSilent watches the whole process: await the one that is running, then call it again.",
    );
  isWatching = true;
  const { environment = { DO_NOT_TRACK: "1" }, allow = [], settleMs = SETTLE_MS } = options;
  const happenings: Happening[] = [];
  const undo = [setVariables(environment), watch(allow, happenings)];
  const outcome = await settle(run);
  await sleep(settleMs);
  for (const each of undo) each();
  isWatching = false;
  if (happenings.length > 0)
    throw new SilenceError(happenings, "error" in outcome ? outcome.error : undefined);
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** Watches everything. @param happenings to which each thing is added once @returns what ends it */
function watch(allow: readonly string[], happenings: Happening[]): () => void {
  const allowance = createAllowance(allow);
  const patches = createPatches();
  const report: Report = (kind, target, at) => {
    const isKnown = happenings.some((known) => known.kind === kind && known.target === target);
    if (isKnown || allowance.allows(kind, target)) return;
    happenings.push({ kind, target, at: at() });
  };
  watchFiles(report, patches);
  watchProcesses(report, patches);
  const stopNetwork = watchNetwork(report, patches, allowance);
  patches.publish();
  return () => {
    stopNetwork();
    patches.restore();
  };
}

type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

async function settle<Value>(run: () => Value | PromiseLike<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}
