import type { Facts, ListeningFacts, MachineFacts, PlaceFacts } from "./facts.ts";
import { checkDisk, checkFolder, checkQuarantine } from "./folder-checks.ts";
import { checkInstances } from "./instances.ts";
import { checkPlan } from "./plan-checks.ts";
import { checkStore } from "./store-checks.ts";
import { type Check, fail, ok, warn } from "./verdict.ts";

const MIN_NODE = [20, 19] as const;
/** A clock before this was never set: Candor is younger. */
const MIN_CLOCK_MS = Date.UTC(2025, 0, 1);
/** The collector corrects its clients' clocks by its own; a larger fault than this is seen in the events' times. */
const MAX_CLOCK_GAP_MS = 5000;

/** Checks the facts, each with what to do. Pure. */
export function judge({ machine, settingsFaults, place }: Facts): Check[] {
  const checks = [checkNode(machine), checkEngine(machine, place), checkSettings(settingsFaults)];
  if (place !== undefined) {
    checks.push(
      checkPlan(place.plan),
      checkFolder(place.folder, place.listening),
      checkDisk(place.disk),
      checkPort(place.listening, place.folder),
      checkStore(place),
    );
    if (typeof place.folder.state === "string") checks.push(checkQuarantine(place.quarantine));
    checks.push(...checkInstances(place.clones));
  }
  return [...checks, checkClock(machine, place)];
}

function checkNode({ nodeVersion }: MachineFacts): Check {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  if (isEnough) return ok("node", `Node ${nodeVersion}.`);
  return fail(
    "node",
    `This is Node ${nodeVersion}; Candor needs ${MIN_NODE.join(".")} or newer. Install it.`,
  );
}

function checkEngine({ engine, platform }: MachineFacts, place: PlaceFacts | undefined): Check {
  if (engine.supported) return ok("engine", `The embedded store runs on ${platform}.`);
  if (place?.usesServer === true)
    return ok(
      "engine",
      "The embedded store does not run here and is not needed: CANDOR_CLICKHOUSE_URL is set.",
    );
  return fail("engine", `The embedded store does not run here: ${engine.why}.`);
}

function checkSettings(faults: string | undefined): Check {
  if (faults === undefined) return ok("settings", "The settings can be used.");
  return fail("settings", `${faults}\nThe plan, the data folder, the port and the store were not looked at.`);
}

function checkPort(listening: ListeningFacts, { lock }: PlaceFacts["folder"]): Check {
  const { url, host, port, answer, isOwn } = listening;
  if (answer.kind === "collector") {
    if (answer.unready !== undefined)
      return fail("collector", `Candor runs at ${url} and cannot accept messages: ${answer.unready}`);
    return ok("collector", `Candor runs at ${url} and accepts messages.`);
  }
  if (answer.kind === "other") {
    const todo = isOwn
      ? "Stop that program, or set CANDOR_PORT to a free port."
      : "Set CANDOR_URL to a Candor's address.";
    return fail("collector", `What is at ${url} is no Candor that works (${answer.why}). ${todo}`);
  }
  if (answer.bindFault !== undefined) return fail("collector", answer.bindFault);
  if (lock === "held") {
    return warn(
      "collector",
      `Candor runs on this data folder, but nothing answers at ${url} (${answer.cause}). It is starting or stopping, or listens elsewhere: set CANDOR_URL to the address that its start printed.`,
    );
  }
  if (!isOwn)
    return fail("collector", `Nothing answers at ${url} (${answer.cause}). Start it, or correct CANDOR_URL.`);
  const free = port === 0 ? "it will take any free port" : `port ${port} on ${host} is free`;
  return ok("collector", `No Candor is running; ${free}. \`candor start\` starts one.`);
}

function checkClock({ nowMs }: MachineFacts, place: PlaceFacts | undefined): Check {
  const now = new Date(nowMs).toISOString().slice(0, 19);
  if (nowMs < MIN_CLOCK_MS)
    return fail("clock", `This machine's clock says ${now}Z, which is past. Set it (NTP does).`);
  const answer = place?.listening.answer;
  const aheadMs = answer?.kind === "collector" ? (answer.aheadMs ?? 0) : 0;
  if (Math.abs(aheadMs) > MAX_CLOCK_GAP_MS) {
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    return warn(
      "clock",
      `The collector's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's (${now}Z). Set both with NTP: the events' times go by the collector's.`,
    );
  }
  return ok("clock", answer?.kind === "collector" ? `${now}Z, as the collector's.` : `${now}Z.`);
}
