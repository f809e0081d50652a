/** Opens the parts of one product: its log, plan, tables, drain and forgetting. No two products share any of them. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createIds, type Envelope } from "@candor/envelope";
import type { Plan } from "@candor/plan";
import { instanceIdOf, type Redactors } from "@candor/plan/runtime";
import type { ProductDependencies } from "./api/dependencies.ts";
import { createLiveFeed } from "./api/live.ts";
import { type Closers, openParts } from "./closers.ts";
import { openProductFolder, type ProductFolder } from "./data-folder.ts";
import { createPlanCounts, type PlanCounts } from "./enforce/plan-counts.ts";
import { openPlan, type PlanInForce } from "./enforce/plan-in-force.ts";
import { CandorError } from "./errors.ts";
import { createForget } from "./forget/forget.ts";
import type { HoldingProduct } from "./instance/held-events.ts";
import { openAppendLog } from "./log/append-log.ts";
import { Dedupe } from "./log/dedupe.ts";
import type { Disk, Log } from "./log/log.ts";
import type { Meters, ProductMeters } from "./meters.ts";
import { createStoredForms, openPseudonyms } from "./privacy/pseudonym.ts";
import { createRedactors } from "./privacy/redactors.ts";
import type { PlacedProduct } from "./products.ts";
import { openOwnNetworks } from "./reports/own-networks.ts";
import type { IngestProduct } from "./request/ingest.ts";
import { openStore, type Store, type StoreAddress } from "./store/client.ts";
import { type Alone, createAlone, startDrain } from "./store/drain.ts";
import { startInserterThread } from "./store/inserter-thread.ts";
import { migrate } from "./store/migrate.ts";
import { openPlanStore, type PlanStore } from "./store/plan-store.ts";

/** How long startup waits at most for the check of a product's schema. */
const SCHEMA_WAIT_MS = 10_000;

export interface ProductOptions {
  readonly meters: Meters;
  /** Whether the collector serves other products too. Metrics and messages then name the product. */
  readonly isOneOfSeveral: boolean;
  /** Where the store is. Each product has tables of its own in it. */
  readonly address: StoreAddress;
  /** Resolves once the embedded engine takes statements. */
  readonly engineReady: () => Promise<unknown>;
  readonly countryOf: (address: string) => string | undefined;
  readonly drainDeadlineMs: number;
  readonly disk: Disk;
  readonly now: () => number;
  readonly report: (line: string) => void;
  readonly onFatal: (error: CandorError) => void;
}

/** The running parts of a product. */
export interface OpenProduct {
  readonly ingest: IngestProduct;
  readonly instances: HoldingProduct & Pick<ProductDependencies, "forget">;
  readonly api: ProductDependencies;
  /** Drains for at most `drainDeadlineMs`, and closes everything. Rows that are not drained stay in the log. */
  close(): Promise<void>;
}

/**
 * Opens a product, and starts to drain its log.
 * @throws CandorError with a message for the operator; in that case nothing is left open
 */
export function openProduct(place: PlacedProduct, options: ProductOptions): Promise<OpenProduct> {
  return openParts((closers) => open(place, options, closers));
}

async function open(
  place: PlacedProduct,
  options: ProductOptions,
  closers: Closers,
): Promise<Omit<OpenProduct, "close">> {
  const { name } = place;
  const { now } = options;
  const report = options.isOneOfSeveral
    ? (line: string) => options.report(`${name}: ${line}`)
    : options.report;
  const folder = openProductFolder(place.dir);
  const pseudonym = openPseudonyms(folder.hashSecretFile);
  const planCounts = createPlanCounts();
  const logParts = await openLog(folder, { ...options, report }, closers);
  const redactors = createRedactors(pseudonym);
  const tables = openTables(place, { ...options, report, redactors, planCounts }, closers);
  const meters = await startDraining(
    place,
    { ...options, ...logParts, ...tables, folder, planCounts, report },
    closers,
  );
  const { dedupe, log } = logParts;
  const { store, plan, planStore } = tables;
  const live = createLiveFeed();
  const storedForms = createStoredForms(pseudonym);
  const { logDir, quarantineDir } = folder;
  const currentPlan = (): Plan => plan.current().plan;
  const where = { store, log, logDir, quarantineDir, rollups: planStore };
  const forget = createForget({ ...where, storedForms, plan: currentPlan, now });
  const ids = createIds({ hash: pseudonym });
  const { countryOf } = options;
  const ownNetworks = openOwnNetworks({ store, pseudonym, now });
  closers.add(ownNetworks.close);
  const seeServer = (envelope: Envelope, address: string): void =>
    ownNetworks.see(address, () => {
      const { server } = currentPlan().sources;
      return server && instanceIdOf(server, envelope);
    });
  const storedUntilMs = (): number => log.pending().oldestMs ?? now();
  return {
    ingest: {
      name,
      ids,
      plan: plan.current,
      planCounts,
      countryOf,
      dedupe,
      log,
      watch: live.watch,
      seeServer,
      meters,
    },
    instances: { store, log, plan: currentPlan, forget },
    api: { name, store, live, plan, planStore, storedForms, storedUntilMs, forget, pseudonym, ownNetworks },
  };
}

interface Tables {
  readonly address: StoreAddress;
  readonly store: Store;
  readonly plan: PlanInForce;
  readonly planStore: PlanStore;
  /** Runs a task while the drain is paused. */
  readonly alone: Alone;
}

/** Opens the plan, and the product's tables, which follow the plan. */
function openTables(
  { name, databases, planFile }: PlacedProduct,
  options: Pick<ProductOptions, "address" | "now" | "report"> & {
    readonly redactors: Redactors;
    readonly planCounts: PlanCounts;
  },
  closers: Closers,
): Tables {
  const { now, report, redactors, planCounts } = options;
  const address = withRowsOf(name, options.address);
  const store = openStore(address, databases);
  closers.add(() => store.close());
  const onChange = (): void => planStore.applySoon();
  const plan = openPlan({ file: planFile, redactors, onChange, report });
  closers.add(plan.close);
  const alone = createAlone();
  const currentPlan = (): Plan => plan.current().plan;
  const planStore = openPlanStore({ store, alone, plan: currentPlan, counts: planCounts, now, report });
  closers.add(planStore.close);
  return { address, store, plan, planStore, alone };
}

/** Prepares the tables, and starts to move the log into them. */
async function startDraining(
  { name, databases }: PlacedProduct,
  parts: ProductOptions &
    Tables &
    LogParts & { readonly folder: ProductFolder; readonly planCounts: PlanCounts },
  closers: Closers,
): Promise<ProductMeters> {
  const { log, dedupe, address, store, planStore, alone, folder, planCounts, now, report, onFatal } = parts;
  const meters = parts.meters.addProduct(parts.isOneOfSeveral ? name : undefined, {
    log: () => log.pending(),
    dedupe: () => dedupe.size(),
    isStoreUp: () => drain.isUp(),
    planCounts: planCounts.totals,
    comparison: planStore.lastComparison,
  });
  const prepare = async (): Promise<void> => {
    await parts.engineReady();
    await migrate(store);
    await planStore.apply();
    void planStore.rebuild().catch(() => {}); // on failure, the months stay noted for the next rebuild
  };
  await checkSchema(prepare);
  const inserter = startInserterThread({ address, databases, quarantineDir: folder.quarantineDir });
  closers.add(() => inserter.close());
  const onStoreChange = storeReporter(report);
  const drain = startDrain({ log, inserter, alone, prepare, meters, now, onFatal, onStoreChange });
  closers.add(() => drain.close(parts.drainDeadlineMs));
  return meters;
}

/** Gives a product's rows a folder of their own, because each inserter empties its folder at its start. */
function withRowsOf(name: string, address: StoreAddress): StoreAddress {
  if ("urls" in address || address.rowsDir === undefined) return address;
  return { ...address, rowsDir: join(address.rowsDir, name) };
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

interface LogParts {
  readonly dedupe: Dedupe;
  readonly log: Log;
}

async function openLog(
  folder: ProductFolder,
  { now, disk, report }: Pick<ProductOptions, "now" | "disk" | "report">,
  closers: Closers,
): Promise<LogParts> {
  const dedupe = await Dedupe.open({
    dir: folder.dedupeDir,
    disk,
    onDamaged: (path) =>
      report(`Damaged, and not used any more: ${path}. Messages of that hour may be stored twice.`),
  });
  closers.add(() => dedupe.close());
  const log = await openAppendLog({
    dir: folder.logDir,
    keepKeys: (keys) => dedupe.keep(keys),
    now,
    disk,
    onFault: (error) => report(error.message),
  });
  closers.add(() => log.close());
  return { dedupe, log };
}

function storeReporter(report: (line: string) => void): (cause: string | undefined) => void {
  return (cause) => {
    if (cause === undefined) report("The store is back; the log drains.");
    else report(`The store does not take rows (${cause}). Messages are accepted and wait in the log.`);
  };
}
