/**
 * Defines the doctor's checks: what each concludes from the facts, and what it tells the operator to do. All
 * functions are pure.
 */
import { CandorError } from "@candor/server";
import type {
  Check,
  CollectorFacts,
  DiskFacts,
  Facts,
  FolderFacts,
  ListeningFacts,
  MachineFacts,
  PlaceFacts,
  PlanFacts,
  QuarantineFacts,
} from "./facts.ts";

const MIN_NODE = [20, 19] as const;
/** A clock that shows an earlier time is wrong, because Candor did not exist at that time. */
const MIN_CLOCK_MS = Date.UTC(2025, 0, 1);
/**
 * The largest difference between the collector's clock and this machine's that is not reported. The collector
 * corrects the times of events by its own clock.
 */
const MAX_CLOCK_GAP_MS = 5000;
const WARN_FREE_BYTES = 1024 ** 3;
const FAIL_FREE_BYTES = 100 * 1024 ** 2;
const NEWEST_SHOWN = 3;
const FOR_OTHERS = 0o077;
/**
 * How long a row may wait in the log. Rows normally reach the store within a second, so an older one means
 * that the store lags.
 */
const MAX_LAG_S = 60;

function ok(name: string, sentence: string): Check {
  return { name, state: "ok", sentence };
}

function warn(name: string, sentence: string): Check {
  return { name, state: "warn", sentence };
}

function fail(name: string, sentence: string): Check {
  return { name, state: "fail", sentence };
}

/**
 * Returns the checks in the order in which they are shown. Without valid settings, leaves out those that need
 * them.
 */
export function checkFacts({ machine, settingsFaults, place }: Facts): Check[] {
  const checks = [checkNode(machine), checkEngine(machine, place), checkSettings(settingsFaults)];
  if (place !== undefined) {
    checks.push(
      ...place.plans.map(checkPlan),
      checkFolder(place.folder, place.listening),
      checkDisk(place.disk),
      checkPort(place.listening, place.folder),
      checkStore(place),
      ...checkReports(place.listening),
    );
    if (typeof place.folder.state === "string") checks.push(...place.quarantines.map(checkQuarantine));
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
  if (faults === undefined) return ok("settings", "The settings are valid.");
  return fail("settings", `${faults}\nThe plan, the data folder, the port and the store were not checked.`);
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
      : "Set CANDOR_URL to the address of a Candor.";
    return fail("collector", `${url} is not a working Candor (${answer.why}). ${todo}`);
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
  const free = port === 0 ? "any free port will do" : `port ${port} on ${host} is free`;
  return ok("collector", `No Candor is running; ${free}. \`candor start\` starts one.`);
}

function checkClock({ nowMs }: MachineFacts, place: PlaceFacts | undefined): Check {
  const now = new Date(nowMs).toISOString().slice(0, 19);
  if (nowMs < MIN_CLOCK_MS)
    return fail(
      "clock",
      `This machine's clock says ${now}Z, which is in the past. Set it, for example with NTP.`,
    );
  const answer = place?.listening.answer;
  const aheadMs = answer?.kind === "collector" ? (answer.aheadMs ?? 0) : 0;
  if (Math.abs(aheadMs) > MAX_CLOCK_GAP_MS) {
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    return warn(
      "clock",
      `The collector's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's (${now}Z). Set both with NTP: the times of events follow the collector's clock.`,
    );
  }
  return ok("clock", answer?.kind === "collector" ? `${now}Z, the same as the collector's.` : `${now}Z.`);
}

function checkPlan({ file, fault, product, version, attention }: PlanFacts): Check {
  if (fault !== undefined) return fail("plan", fault);
  const sentence = `${product}, version ${version} (${file}).`;
  if (attention.length === 0) return ok("plan", sentence);
  return warn("plan", [sentence, ...attention].join("\n"));
}

function checkFolder(folder: FolderFacts, { answer, isOwn, url }: ListeningFacts): Check {
  const { path, state, lock, mode, keysMode, keysFault, foreign } = folder;
  if (foreign !== undefined) return fail("data", foreign);
  if (typeof state === "object") {
    const { message } = new CandorError("data_folder_unwritable", { folder: path, cause: state.cause });
    return fail("data", message);
  }
  if (keysFault !== undefined) return fail("data", keysFault);
  if (state === "missing") return ok("data", `${path} does not exist yet; \`candor start\` creates it.`);
  if (typeof lock === "object")
    return fail(
      "data",
      `${path} cannot be locked (${lock.why}), so Candor cannot make sure that no other process uses it.`,
    );
  if (mode !== undefined && (mode & FOR_OTHERS) !== 0)
    return warn(
      "data",
      `Other users of this machine can open ${path} (mode ${octal(mode)}). Run: chmod 700 ${path}`,
    );
  if (keysMode !== undefined && (keysMode & FOR_OTHERS) !== 0) {
    return warn(
      "data",
      `Other users of this machine can read the keys in ${path} (mode ${octal(keysMode)}). Run: chmod 600 ${path}/keys.json`,
    );
  }
  if (lock === "free" && answer.kind === "collector" && isOwn)
    return warn(
      "data",
      `The Candor at ${url} uses another data folder than ${path}. Set CANDOR_DATA_DIR to that folder.`,
    );
  return ok(
    "data",
    `${path} is writable and ${lock === "held" ? "used by a running Candor" : "not in use"}.`,
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Checks the free space, because the collector answers 503 on a full disk. */
function checkDisk(disk: DiskFacts | undefined): Check {
  if (disk === undefined)
    return warn("disk", "The system does not report free space. Make sure that there is enough.");
  const { freeBytes, logBytes, storeBytes } = disk;
  const taken = `the log takes ${formatBytes(logBytes)}, the store ${formatBytes(storeBytes)}`;
  const sentence = `${formatBytes(freeBytes)} free; ${taken}.`;
  const todo =
    "Free some space, or set CANDOR_DATA_DIR to a larger disk: on a full disk, messages are refused with 503.";
  if (freeBytes < FAIL_FREE_BYTES) return fail("disk", `${sentence} ${todo}`);
  return freeBytes < WARN_FREE_BYTES ? warn("disk", `${sentence} ${todo}`) : ok("disk", sentence);
}

/** Never shows the content of the quarantined rows. */
function checkQuarantine({ dir, rows, cause }: QuarantineFacts): Check {
  if (cause !== undefined)
    return warn("quarantine", `The rows in ${dir} could not be read: ${cause}. Check the folder.`);
  if (rows.length === 0) return ok("quarantine", "The store has rejected no rows.");
  const counts = new Map<string, number>();
  for (const { fault } of rows) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const faults = [...counts].map(([fault, count]) => `${count} ${fault}`).join(", ");
  const newest = [...rows]
    .sort((a, b) => (a.quarantinedAt < b.quarantinedAt ? 1 : -1))
    .slice(0, NEWEST_SHOWN)
    .map(({ id }) => id)
    .join(", ");
  return warn(
    "quarantine",
    `The store rejected ${rows.length} rows (${faults}; newest: ${newest}). They are in ${dir}, one file each, with the reason: read them, then delete them.`,
  );
}

/** Formats bytes in powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/**
 * Checks the store as the running collector sees it. Without a collector, checks whether the ClickHouse
 * servers answer, if the settings name any.
 */
function checkStore({ listening, servers, usesServer, disk }: PlaceFacts): Check {
  if (listening.answer.kind === "collector") return checkRunning(listening.answer);
  if (!usesServer) {
    const waiting = (disk?.logBytes ?? 0) > 0 ? ", and the rows waiting in the log move into it" : "";
    return ok("store", `Embedded: it opens with the collector${waiting}.`);
  }
  const away = servers.filter(({ fault }) => fault !== undefined);
  if (away.length === 0)
    return ok("store", `ClickHouse answers at ${servers.map(({ url }) => url).join(", ")}.`);
  const faults = away.map(({ url, fault }) => `${url} (${fault})`).join(", ");
  return fail(
    "store",
    `ClickHouse does not answer at ${faults}. Start it, or correct CANDOR_CLICKHOUSE_URL.`,
  );
}

function checkRunning({ metrics }: CollectorFacts): Check {
  const read = (name: string): number => metrics.get(name) ?? 0;
  const rows = read("candor_log_pending_rows");
  const oldestS = Math.round(read("candor_log_oldest_seconds"));
  const restarts = read("candor_engine_restarts");
  const waiting = `rows waiting in the log: ${rows}${rows > 0 ? `, the oldest for ${oldestS} s` : ""}`;
  if (read("candor_store_up") !== 1) {
    return fail(
      "store",
      `The store takes no rows; ${waiting}. Messages are still accepted. Check that ClickHouse is running; the collector's output says what it answers.`,
    );
  }
  if (restarts > 0) {
    return warn(
      "store",
      `The embedded store had to be restarted (${restarts} times since the collector started); ${waiting}. Check the collector's output, and whether the system ran out of memory.`,
    );
  }
  if (oldestS > MAX_LAG_S)
    return warn("store", `The store lags; ${waiting}. Give it more processors or a faster disk.`);
  return ok("store", `The store takes rows; ${waiting}.`);
}

/** Returns a check only if a running collector has compared the rollups with the events. */
function checkReports({ answer }: ListeningFacts): Check[] {
  if (answer.kind !== "collector") return [];
  const atS = answer.metrics.get("candor_rollups_compared_seconds") ?? 0;
  const differences = answer.metrics.get("candor_rollup_differences") ?? 0;
  if (atS === 0) return [];
  const time = new Date(atS * 1000).toISOString().slice(0, 16).replace("T", " ");
  if (differences === 0) return [ok("reports", `They equal the events, as compared at ${time} UTC.`)];
  return [
    fail(
      "reports",
      `What they read differs from the events in ${differences} sums, as compared at ${time} UTC. Run: candor rebuild`,
    ),
  ];
}

/** Returns a check only if there are copied instances. */
function checkInstances(clones: number | undefined): Check[] {
  if (clones === undefined || clones === 0) return [];
  const sentence =
    clones === 1
      ? "1 instance sends from two places at once because its folder was copied; see GET /api/reports/instances."
      : `${clones} instances send from two places at once because their folders were copied; see GET /api/reports/instances.`;
  return [warn("instances", sentence)];
}
