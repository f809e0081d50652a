/** Implements `candor start`: runs the collector until it is stopped or fails. */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import {
  type Candor,
  type CandorError,
  type Config,
  type Product,
  readProducts,
  startCandor,
  writeKeysOf,
} from "@candor/server";
import { renderBanner } from "./banner.ts";
import { readNpmScript, readSettings } from "./environment.ts";
import { awaitNpmGone, awaitStop } from "./stop.ts";
import { coloursFor, outliveReaders, report } from "./terminal.ts";

/**
 * The documentation promises that a stop takes at most 5 s. Rows not drained by this deadline stay in the
 * log, which survives any exit.
 */
const STOP_DEADLINE_MS = 4500;

type End = { readonly kind: "stop" } | { readonly kind: "fatal"; readonly error: CandorError };

/**
 * Runs the collector until it is told to stop (resolves to 0) or a fatal error ends it (resolves to 1).
 * @throws CandorError if it cannot start
 */
export async function start(): Promise<number> {
  // Most objects made at startup live long, so V8 would allocate later ones of their kind in the old
  // generation right away. Requests would then fill that generation with garbage (garbage.rig.test.ts).
  setFlagsFromString("--no-allocation-site-pretenuring");
  const config = readSettings();
  const products = readProducts(config.planPaths);
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
  if (!("kind" in first)) printBanner(config, products, first);
  return stop(await end, starting);
}

function printBanner(config: Config, products: readonly Product[], { url, keys }: Candor): void {
  const shown = products.map((product) => ({
    ...product,
    writeKeys: writeKeysOf(keys, config, product.name) ?? keys.writeKeys,
  }));
  const { adminToken } = keys;
  const facts = { url, adminToken, config, products: shown, nowMs: Date.now(), workingDir: process.cwd() };
  process.stdout.write(renderBanner(facts, coloursFor(process.stdout)));
}

async function stop(end: End, starting: Promise<Candor>): Promise<number> {
  if (end.kind === "fatal")
    report(`${end.error.message} Stopping: rows that are not in the store yet stay in the log.`);
  else
    report(
      "Stopping: moving rows into the store for a few seconds; the rest stays in the log. Ctrl-C again stops at once.",
    );
  const closing = starting.then((candor) => candor.close());
  const late = sleep(STOP_DEADLINE_MS, "late", { ref: false });
  if ((await Promise.race([closing, late])) === "late") {
    report("Stopped. Some rows are still in the log and move into the store at the next start.");
    process.exit(end.kind === "fatal" ? 1 : 0);
  }
  report("Stopped.");
  return end.kind === "fatal" ? 1 : 0;
}
