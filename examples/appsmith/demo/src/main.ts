/**
 * The command `npm run demo`: its options, output and exit codes (1: not stored as planned, or an invalid
 * option; 2: could not be played).
 */
import { join } from "node:path";
import { cwd, env } from "node:process";
import { toReachable } from "@candor/node/operator";
import { CandorError, type Config, findKeys, readConfig } from "@candor/server";
import { Command, InvalidArgumentError } from "commander";
import { awaitReady, awaitStored, type Collector, countStored, DemoFault } from "./collector.ts";
import { countStory } from "./count-story.ts";
import { renderFirstLook } from "./first-look.ts";
import { makeStory } from "./make-story.ts";
import { playStory } from "./play-story.ts";
import { showProgress } from "./progress.ts";

const COULD_NOT = 2;
const DEFAULT_URL = "http://127.0.0.1:7226";
const READY_WITHIN_MS = { usual: 2000, wait: 120_000 };
/** The story ends this long before now, so that no message is later than the collector's clock. */
const END_BEFORE_MS = 60_000;
const MAX_SHOWN_FAULTS = 10;

interface DemoOptions {
  readonly seed?: number;
  readonly instances: number;
  readonly weeks: number;
  readonly again?: boolean;
  readonly wait?: boolean;
}

const program = new Command("npm run demo --")
  .description("Plays the reference product against a running Candor: months of a fleet, in about a minute.")
  .option("--seed <n>", "another story (default: 1)", toWhole(0, 2 ** 31))
  .option("--instances <n>", "instances in the fleet", toWhole(1, 2000), 400)
  .option("--weeks <n>", "weeks until now", toWhole(1, 52), 26)
  .option("--again", "play although the Candor holds messages already: another fleet beside them")
  .option("--wait", "wait until a Candor that starts is ready")
  .action(async (options: DemoOptions) => {
    process.exitCode = await play(options);
  });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(COULD_NOT));
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof DemoFault || error instanceof CandorError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = COULD_NOT;
}

/** Plays the demo. @returns the exit code @throws DemoFault, CandorError */
async function play({ seed, instances, weeks, again = false, wait = false }: DemoOptions): Promise<number> {
  const config = readConfig(env);
  const collector = await findCollector(config, wait ? READY_WITHIN_MS.wait : READY_WITHIN_MS.usual);
  const before = await countStored(collector);
  if (before > 0 && !again) throw new DemoFault(explainFilled(collector, before));
  const startedAtMs = Date.now();
  const endMs = startedAtMs - END_BEFORE_MS;
  // The default seed depends on the time if there are messages already, because a repeated seed would repeat
  // the same instances.
  const story = makeStory({ seed: seed ?? (before === 0 ? 1 : startedAtMs), instances, weeks, endMs });
  const counts = countStory(story);
  process.stderr.write(`Playing ${instances} instances over ${weeks} weeks against ${collector.url}\n`);
  const progress = showProgress(counts.messages);
  const faults = await playStory({ collector, story, onPlayed: progress.add });
  progress.end();
  const stored = (await awaitStored(collector, before + counts.messages)) - before;
  const played = { story, counts, stored, elapsedMs: Date.now() - startedAtMs };
  process.stdout.write(renderFirstLook(played, collector, toTailCommand(config, collector)));
  const missing = counts.messages - stored;
  if (faults.length === 0 && missing === 0) return 0;
  const sentences = missing === 0 ? faults : [`${missing} messages are not stored.`, ...faults];
  process.stderr.write(`Not as planned:\n${sentences.slice(0, MAX_SHOWN_FAULTS).join("\n")}\n`);
  return 1;
}

async function findCollector(config: Config, readyWithinMs: number): Promise<Collector> {
  const url = toReachable(config.url);
  await awaitReady({ url }, readyWithinMs);
  const keys = findKeys(config);
  if (keys !== undefined) return { url, keys };
  throw new DemoFault(
    `There are no keys in ${config.dataDir}. Set CANDOR_DATA_DIR to the data folder of the Candor at ${url}, or CANDOR_WRITE_KEYS and CANDOR_ADMIN_TOKEN to its keys.`,
  );
}

/**
 * Returns the `candor tail` command with the settings that it needs in another terminal. The token is left
 * out, because shells keep a history.
 */
function toTailCommand({ dataDir }: Config, { url }: Collector): string {
  const isUsual = dataDir === join(cwd(), ".candor");
  const settings = [
    ...(url === DEFAULT_URL ? [] : [`CANDOR_URL=${url}`]),
    ...(isUsual ? [] : [`CANDOR_DATA_DIR='${dataDir}'`]),
  ];
  return [...settings, "npx candor tail"].join(" ");
}

function explainFilled({ url }: Collector, count: number): string {
  const held = count === 1 ? "1 message" : `${count.toLocaleString("en")} messages`;
  return `The Candor at ${url} holds ${held} already, so nothing was played: invented instances are not mixed with what you collect. If it is the demo that you played before, all of it is still there. For a look at the demo alone, start one on an empty folder: CANDOR_DATA_DIR=.candor-demo npm start -- --demo. To play another fleet beside what is there: npm run demo -- --again`;
}

function toWhole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
    return value;
  };
}
