import { setTimeout as sleep } from "node:timers/promises";
import type { Plan } from "@candor/plan";
import { type Candor, type CandorError, type Config, readPlan, startCandor } from "@candor/server";
import { renderBanner } from "./banner.ts";
import { readNpmScript, readSettings } from "./environment.ts";
import { awaitNpmGone } from "./npm-parent.ts";
import { awaitStop } from "./stop-signal.ts";
import { coloursFor, outliveReaders, report } from "./terminal.ts";

/** The promise is an end within 5 s. What is not drained by then is in the log, which any end leaves whole. */
const STOP_DEADLINE_MS = 4500;

type End = { readonly kind: "stop" } | { readonly kind: "fatal"; readonly error: CandorError };

/**
 * `candor start`: runs the collector until it is told to stop (0), or must (1).
 * @throws CandorError when it cannot start
 */
export async function start(): Promise<number> {
  const config = readSettings();
  const plan = readPlan(config.planFile);
  outliveReaders();
  let onFatal = (_error: CandorError): void => {};
  const end = Promise.race([
    new Promise<End>((resolve) => {
      onFatal = (error) => resolve({ kind: "fatal", error });
    }),
    awaitStop().then((): End => ({ kind: "stop" })),
    awaitNpmGone({ script: readNpmScript() }).then((): End => ({ kind: "stop" })),
  ]);
  const starting = startCandor(config, { report, onFatal: (error) => onFatal(error) });
  const first = await Promise.race([end, starting]);
  if (!("kind" in first)) printBanner(config, plan, first);
  return stop(await end, starting);
}

function printBanner(config: Config, plan: Plan, { url, keys }: Candor): void {
  const facts = { url, keys, config, plan, nowMs: Date.now(), workingDir: process.cwd() };
  process.stdout.write(renderBanner(facts, coloursFor(process.stdout)));
}

async function stop(end: End, starting: Promise<Candor>): Promise<number> {
  if (end.kind === "fatal")
    report(`${end.error.message} Stopping: what the store has not taken stays in the log.`);
  else report("Stopping: the log drains for a few seconds, the rest of it keeps. Ctrl-C again ends at once.");
  const closing = starting.then((candor) => candor.close());
  const late = sleep(STOP_DEADLINE_MS, "late", { ref: false });
  if ((await Promise.race([closing, late])) === "late") {
    report("Stopped before all was drained: the rest is in the log, for the next start.");
    process.exit(end.kind === "fatal" ? 1 : 0);
  }
  report("Stopped.");
  return end.kind === "fatal" ? 1 : 0;
}
