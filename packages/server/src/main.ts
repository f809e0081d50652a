/** Starts the collector: opens its parts in order, and closes them in reverse order. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, engineSupport, startEngine } from "@candor/engine";
import { createIds } from "@candor/envelope";
import { Semaphore, SingleFlight } from "@candor/envelope/concurrency";
import type { Plan } from "@candor/plan";
import type { FastifyInstance } from "fastify";
import { createApi } from "./api/api.ts";
import { createLiveFeed, type LiveFeed } from "./api/live.ts";
import type { Config } from "./config.ts";
import { type DataFolder, openDataFolder, probeDisk } from "./data-folder.ts";
import { createPlanCounts, type PlanCounts } from "./enforce/plan-counts.ts";
import { openPlan, type PlanInForce } from "./enforce/plan-in-force.ts";
import { CandorError, causeOf } from "./errors.ts";
import { createForget } from "./forget/forget.ts";
import { createInstanceLimits } from "./instance/instance-limits.ts";
import { createMatcher, type Keys, openKeys } from "./keys.ts";
import { openAppendLog } from "./log/append-log.ts";
import { Dedupe } from "./log/dedupe.ts";
import { disk as realDisk } from "./log/disk.ts";
import type { Disk, Log } from "./log/log.ts";
import { createMeters, type Meters } from "./meters.ts";
import { openCountries } from "./privacy/country.ts";
import { createStoredForms, openPseudonyms, type Pseudonym } from "./privacy/pseudonym.ts";
import { createRedactors } from "./privacy/redactors.ts";
import { createBodyReader } from "./request/body.ts";
import { createIngest } from "./request/ingest.ts";
import { openStore, type Store, type StoreAddress } from "./store/client.ts";
import { createAlone, startDrain } from "./store/drain.ts";
import { startInserterThread } from "./store/inserter-thread.ts";
import { migrate } from "./store/migrate.ts";
import { openPlanStore, type PlanStore } from "./store/plan-store.ts";

/** How long startup waits at most for the check of the store's schema. */
const SCHEMA_WAIT_MS = 10_000;
/**
 * How long `close` drains at most. Rows that are not in the store by then stay in the log until the next
 * start.
 */
const DRAIN_DEADLINE_MS = 3000;
const REQUESTS_DEADLINE_MS = 1000;
/** How many pages of `compare`, of up to 32 MB each, may wait in memory for their clients to read them. */
const MAX_COMPARING = 2;
/** Shortest time between two checks of the disk, because anybody may ask whether the collector is ready. */
const READY_CHECK_MS = 1000;

/** Options of `startCandor`, besides the settings. */
export interface StartOptions {
  /** The collector's clock, epoch milliseconds. Default: `Date.now`. */
  readonly now?: () => number;
  /**
   * The disk to which the log and the dedupe keys are written; tests pass a failing or slow one.
   * Default: the real disk.
   */
  readonly disk?: Disk;
  /** How long `close` drains the log at most, in milliseconds. Default: 3000. */
  readonly drainDeadlineMs?: number;
  /**
   * Called with messages for the operator, such as when something fails or works again. They never contain
   * client data.
   */
  readonly report?: (line: string) => void;
  /** Called when the running collector has to end, because it has found that it must not use its store. */
  readonly onFatal?: (error: CandorError) => void;
}

/** A running collector. */
export interface Candor {
  /** The address on which the collector listens, such as http://127.0.0.1:7226. */
  readonly url: string;
  readonly keys: Keys;
  /**
   * Stops accepting requests, drains for at most `drainDeadlineMs`, and closes everything. Rows that are not
   * drained stay in the log.
   */
  close(): Promise<void>;
}

/** Functions that close what was opened, to be called in reverse order. */
type Closers = (() => Promise<void> | void)[];

/**
 * Starts the collector: data folder, log, store, drain, HTTP, in this order.
 * @throws CandorError with a message for the operator; in that case nothing is left open
 */
export async function startCandor(config: Config, options: StartOptions = {}): Promise<Candor> {
  const closers: Closers = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    return { ...(await open(config, options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: Config, options: StartOptions, closers: Closers): Promise<Omit<Candor, "close">> {
  const { now = Date.now, disk = realDisk, drainDeadlineMs = DRAIN_DEADLINE_MS } = options;
  const { report = () => {}, onFatal = () => {} } = options;
  checkEngine(config);
  const folder = openDataFolder(config.dataDir);
  closers.push(folder.release);
  const keys = openKeys(config);
  const pseudonym = openPseudonyms(folder.hashSecretFile);
  const planCounts = createPlanCounts();
  const { dedupe, log } = await openLog(folder, { now, disk, report }, closers);
  const { store, address, engine } = await connectStore(config, folder, report, closers);
  const plan = openPlan({
    file: config.planFile,
    redactors: createRedactors(pseudonym),
    onChange: () => planStore.applySoon(),
    report,
  });
  closers.push(plan.close);
  const alone = createAlone();
  const planStore = openPlanStore({
    store,
    alone,
    plan: () => plan.current().plan,
    counts: planCounts,
    now,
    report,
  });
  closers.push(planStore.close);
  const live = createLiveFeed();
  const meters = createMeters({
    log: () => log.pending(),
    dedupe: () => dedupe.size(),
    store: () => ({ isUp: drain.isUp(), engineRestarts: engine?.status().restarts ?? 0 }),
    planCounts: planCounts.totals,
    comparison: planStore.lastComparison,
    now,
  });
  const prepare = async (): Promise<void> => {
    await engine?.ready();
    await migrate(store);
    await planStore.apply();
    void planStore.rebuild().catch(() => {}); // on failure, the months stay noted for the next rebuild
  };
  await checkSchema(prepare);
  const inserter = startInserterThread({ address, quarantineDir: folder.quarantineDir });
  closers.push(() => inserter.close());
  const onStoreChange = storeReporter(report);
  const drain = startDrain({ log, inserter, alone, prepare, meters, now, onFatal, onStoreChange });
  closers.push(() => drain.close(drainDeadlineMs));
  const checking = { pseudonym, plan, planCounts, planStore };
  const parts: ApiParts = { ...checking, folder, dedupe, log, store, live, meters, now, report };
  const api = await openApi(config, keys, parts, closers);
  return { url: await listen(api, config), keys };
}

function checkEngine(config: Config): void {
  const support = engineSupport();
  if (config.clickhouseUrls !== undefined || support.supported) return;
  throw new CandorError("engine_unsupported", { platform: support.platform, why: support.why });
}

/**
 * Prepares the store. Rejects if this Candor must not use it; a slow or unreachable store is left to the
 * drain.
 */
async function checkSchema(prepare: () => Promise<void>): Promise<void> {
  const tried = prepare().catch((error: unknown) => {
    if (error instanceof CandorError) throw error;
  });
  await Promise.race([tried, sleep(SCHEMA_WAIT_MS, undefined, { ref: false })]);
}

type Report = (line: string) => void;

async function openLog(
  folder: DataFolder,
  { now, disk, report }: Required<Pick<StartOptions, "now" | "disk" | "report">>,
  closers: Closers,
): Promise<{ dedupe: Dedupe; log: Log }> {
  const dedupe = await Dedupe.open({
    dir: folder.dedupeDir,
    disk,
    onDamaged: (path) =>
      report(`Damaged, and not used any more: ${path}. Messages of that hour may be stored twice.`),
  });
  closers.push(() => dedupe.close());
  const log = await openAppendLog({
    dir: folder.logDir,
    keepKeys: (keys) => dedupe.keep(keys),
    now,
    disk,
    onFault: (error) => report(error.message),
  });
  closers.push(() => log.close());
  return { dedupe, log };
}

async function connectStore(
  config: Config,
  folder: DataFolder,
  report: Report,
  closers: Closers,
): Promise<{ store: Store; address: StoreAddress; engine: Engine | undefined }> {
  const { clickhouseUrls: urls, clickhouseCluster: cluster } = config;
  const engine =
    urls === undefined ? await startEngine({ dataDir: folder.storeDir, log: report }) : undefined;
  if (engine !== undefined) closers.push(() => engine.close());
  const rowsDir = join(folder.storeDir, "rows");
  const address = urls === undefined ? { socketPath: engine?.socketPath ?? "", rowsDir } : { urls, cluster };
  const store = openStore(address);
  closers.push(() => store.close());
  return { store, address, engine };
}

function storeReporter(report: Report): (cause: string | undefined) => void {
  return (cause) => {
    if (cause === undefined) report("The store is back; the log drains.");
    else report(`The store does not take rows (${cause}). Messages are accepted and wait in the log.`);
  };
}

interface ApiParts {
  readonly folder: DataFolder;
  readonly pseudonym: Pseudonym;
  readonly plan: PlanInForce;
  readonly planCounts: PlanCounts;
  readonly planStore: PlanStore;
  readonly dedupe: Dedupe;
  readonly log: Log;
  readonly store: Store;
  readonly live: LiveFeed;
  readonly meters: Meters;
  readonly now: () => number;
  readonly report: Report;
}

async function openApi(
  config: Config,
  keys: Keys,
  parts: ApiParts,
  closers: Closers,
): Promise<FastifyInstance> {
  const { folder, pseudonym, plan, planCounts, planStore, log, store, live, meters, now, report } = parts;
  const adminOf = createMatcher({ admin: keys.adminToken });
  const onFault = (error: unknown): void => report(`A request failed: ${causeOf(error)}`);
  const storedForms = createStoredForms(pseudonym);
  const { logDir, quarantineDir } = folder;
  const currentPlan = (): Plan => plan.current().plan;
  const where = { store, log, logDir, quarantineDir, rollups: planStore };
  const forget = createForget({ ...where, storedForms, plan: currentPlan, now });
  const ingest = createIngest({
    ids: createIds({ hash: pseudonym }),
    plan: plan.current,
    planCounts,
    countryOf: openCountries().countryOf,
    dedupe: parts.dedupe,
    log,
    sourceOfKey: createMatcher(keys.writeKeys),
    watch: live.watch,
    now,
    meters,
    readBody: createBodyReader(),
    trustedProxies: config.trustedProxies,
    origins: config.origins,
    instances: { store, log, plan: currentPlan, now, limits: createInstanceLimits(), forget },
    comparing: new Semaphore({ permits: MAX_COMPARING, maxWaiting: 0 }),
    onFault,
  });
  const readyCheck = new SingleFlight(() => probeDisk(config.dataDir), { keepMs: READY_CHECK_MS });
  const api = await createApi({
    store,
    live,
    meters,
    plan,
    planStore,
    forget,
    storedForms,
    storedUntilMs: () => log.pending().oldestMs ?? now(),
    publicStats: config.publicStats,
    now,
    isAdminToken: (token) => adminOf(token) !== undefined,
    checkReady: () => readyCheck.run(),
    ingest,
    onFault,
  });
  closers.push(() => closeApi(api, live));
  return api;
}

/**
 * Ends the live feed, and waits until open requests have ended. After a second, closes the connections that
 * remain.
 */
async function closeApi(api: FastifyInstance, live: LiveFeed): Promise<void> {
  live.close();
  api.server.closeIdleConnections();
  const cut = setTimeout(() => api.server.closeAllConnections(), REQUESTS_DEADLINE_MS);
  await api.close();
  clearTimeout(cut);
}

async function listen(api: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await api.listen({ host, port });
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "EADDRINUSE") throw new CandorError("port_in_use", { host, port }, error);
    throw new CandorError("address_unavailable", { host, port, cause }, error);
  }
}
