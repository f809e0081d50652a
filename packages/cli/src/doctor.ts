import { arch, platform, versions } from "node:process";
import { engineSupport } from "@candor/engine";
import { CandorError, type Config } from "@candor/server";
import { judge } from "./doctor/checks.ts";
import type { Facts, PlaceFacts } from "./doctor/facts.ts";
import { examineFolder, examineQuarantine, measureDisk } from "./doctor/folder.ts";
import { examineClones } from "./doctor/instances.ts";
import { examinePlan } from "./doctor/plan-checks.ts";
import { examineListening, examineServers } from "./doctor/reach.ts";
import type { Check } from "./doctor/verdict.ts";
import { readSettings } from "./environment.ts";
import { type Colours, coloursFor, endWithReader, print, toSafeText } from "./terminal.ts";

/** `candor doctor`: looks at everything that a collector needs, and says what to do. 1 when something fails. */
export async function diagnose({ json = false }: { readonly json?: boolean }): Promise<number> {
  endWithReader();
  const checks = judge(await gather());
  const isWell = checks.every(({ state }) => state !== "fail");
  const colours = coloursFor(process.stdout);
  await print(
    json
      ? `${JSON.stringify({ ok: isWell, checks }, null, 2)}\n`
      : checks.map((check) => renderCheck(check, colours)).join(""),
  );
  return isWell ? 0 : 1;
}

async function gather(): Promise<Facts> {
  const machine = {
    nodeVersion: versions.node,
    platform: `${platform}-${arch}`,
    engine: engineSupport(),
    nowMs: Date.now(),
  };
  try {
    const config = readSettings();
    return { machine, settingsFaults: undefined, place: await examinePlace(config, machine.nowMs) };
  } catch (error) {
    if (!(error instanceof CandorError) || error.code !== "settings_invalid") throw error;
    return { machine, settingsFaults: error.message, place: undefined };
  }
}

async function examinePlace(config: Config, nowMs: number): Promise<PlaceFacts> {
  const { clickhouseUrls, dataDir, planFile } = config;
  const listening = await examineListening(config);
  const isRunning = listening.answer.kind === "collector";
  return {
    usesServer: clickhouseUrls !== undefined,
    plan: examinePlan(planFile, nowMs),
    folder: await examineFolder(dataDir),
    disk: await measureDisk(dataDir),
    quarantine: examineQuarantine(dataDir),
    listening,
    clones: isRunning ? await examineClones(config) : undefined,
    servers: isRunning ? [] : await examineServers(clickhouseUrls ?? []),
  };
}

/** `ok    data       sentence`; further lines of a sentence stand below its first. */
export function renderCheck({ name, state, sentence }: Check, colours: Colours): string {
  const mark = state === "fail" ? "FAIL" : state;
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red }[state];
  const [first = "", ...more] = sentence.split("\n").map(toSafeText);
  const rest = more.map((line) => `${" ".repeat(17)}${line}\n`).join("");
  return `${paint(mark.padEnd(4))}  ${name.padEnd(9)}  ${first}\n${rest}`;
}
