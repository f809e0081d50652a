/** Starts the collector: opens its parts in order, and closes them in reverse order. */
import { join } from "node:path";
import { type Engine, engineSupport, startEngine } from "@candor/engine";
import { Semaphore, SingleFlight } from "@candor/envelope/concurrency";
import type { FastifyInstance } from "fastify";
import { createApi } from "./api/api.ts";
import { type Closers, openParts } from "./closers.ts";
import type { Config } from "./config.ts";
import { openDataFolder, probeDisk } from "./data-folder.ts";
import { CandorError, causeOf } from "./errors.ts";
import { createInstanceLimits } from "./instance/instance-limits.ts";
import { createKeyMatcher, createMatcher, type Keys, openKeys } from "./keys.ts";
import { disk as realDisk } from "./log/disk.ts";
import type { Disk } from "./log/log.ts";
import { createMeters, type Meters } from "./meters.ts";
import { openCountries } from "./privacy/country.ts";
import { type OpenProduct, openProduct } from "./product.ts";
import { type PlacedProduct, placeProducts, readProducts } from "./products.ts";
import { createBodyReader } from "./request/body.ts";
import { createIngest } from "./request/ingest.ts";
import type { OwnerOfKey } from "./request/write-key.ts";
import type { StoreAddress } from "./store/client.ts";
import { createLoadMeter } from "./store/paced-store.ts";

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

type Report = (line: string) => void;

/**
 * Starts the collector: data folder, engine, products, HTTP, in this order.
 * @throws CandorError with a message for the operator; in that case nothing is left open
 */
export function startCandor(config: Config, options: StartOptions = {}): Promise<Candor> {
  return openParts((closers) => open(config, options, closers));
}

async function open(config: Config, options: StartOptions, closers: Closers): Promise<Omit<Candor, "close">> {
  const { now = Date.now, disk = realDisk, drainDeadlineMs = DRAIN_DEADLINE_MS } = options;
  const { report = () => {}, onFatal = () => {} } = options;
  checkEngine(config);
  const folder = openDataFolder(config.dataDir);
  closers.add(folder.release);
  const places = placeProducts(config.dataDir, readProducts(config.planPaths));
  const names = places.map(({ name }) => name);
  const keys = openKeys(config, names);
  const { address, engine } = await openEngine(config, folder.storeDir, report, closers);
  const meters = createMeters({ engineRestarts: () => engine?.status().restarts ?? 0, now });
  const { countryOf } = openCountries();
  const engineReady = async (): Promise<void> => engine?.ready();
  const shared = { meters, address, engineReady, countryOf, drainDeadlineMs, disk, now, report, onFatal };
  const products = await openProducts(
    places,
    (place) => openProduct(place, { ...shared, isOneOfSeveral: places.length > 1 }),
    closers,
  );
  const ownerOfKey = createKeyMatcher(keys, config, names);
  const api = await openApi(config, { keys, ownerOfKey, products, meters, now, report }, closers);
  return { url: await listen(api, config), keys };
}

function checkEngine(config: Config): void {
  const support = engineSupport();
  if (config.clickhouseUrls !== undefined || support.supported) return;
  throw new CandorError("engine_unsupported", { platform: support.platform, why: support.why });
}

async function openEngine(
  { clickhouseUrls: urls, clickhouseCluster: cluster }: Config,
  storeDir: string,
  report: Report,
  closers: Closers,
): Promise<{ address: StoreAddress; engine: Engine | undefined }> {
  if (urls !== undefined) return { address: { urls, cluster }, engine: undefined };
  const engine = await startEngine({ dataDir: storeDir, log: report });
  closers.add(() => engine.close());
  return { address: { socketPath: engine.socketPath, rowsDir: join(storeDir, "rows") }, engine };
}

/** Opens the products one after another. They are closed side by side, because each may drain for seconds. */
async function openProducts(
  places: readonly PlacedProduct[],
  openOne: (place: PlacedProduct) => Promise<OpenProduct>,
  closers: Closers,
): Promise<OpenProduct[]> {
  const products: OpenProduct[] = [];
  closers.add(async () => void (await Promise.all(products.map((product) => product.close()))));
  for (const place of places) products.push(await openOne(place));
  return products;
}

interface ApiParts {
  readonly keys: Keys;
  readonly ownerOfKey: OwnerOfKey;
  readonly products: readonly OpenProduct[];
  readonly meters: Meters;
  readonly now: () => number;
  readonly report: Report;
}

async function openApi(
  config: Config,
  { keys, ownerOfKey, products, meters, now, report }: ApiParts,
  closers: Closers,
): Promise<FastifyInstance> {
  const adminOf = createMatcher([["admin", keys.adminToken]]);
  const onFault = (error: unknown): void => report(`A request failed: ${causeOf(error)}`);
  const ingest = createIngest({
    products: products.map((product) => product.ingest),
    ownerOfKey,
    now,
    meters,
    readBody: createBodyReader(),
    trustedProxies: config.trustedProxies,
    origins: config.origins,
    instances: {
      products: products.map(({ instances }) => instances),
      now,
      limits: createInstanceLimits(),
    },
    comparing: new Semaphore({ permits: MAX_COMPARING, maxWaiting: 0 }),
    onFault,
  });
  const readyCheck = new SingleFlight(() => probeDisk(config.dataDir), { keepMs: READY_CHECK_MS });
  const load = createLoadMeter();
  closers.add(load.close);
  const server = {
    meters,
    load,
    publicStats: config.publicStats,
    now,
    isAdminToken: (token: string) => adminOf(token) !== undefined,
    checkReady: () => readyCheck.run(),
    ingest,
    onFault,
  };
  const api = await createApi(
    server,
    products.map((product) => product.api),
  );
  closers.add(() => closeApi(api, products));
  return api;
}

/**
 * Ends the live feeds, and waits until open requests have ended. After a second, closes the connections that
 * remain.
 */
async function closeApi(app: FastifyInstance, products: readonly OpenProduct[]): Promise<void> {
  for (const { api } of products) api.live.close();
  app.server.closeIdleConnections();
  const cut = setTimeout(() => app.server.closeAllConnections(), REQUESTS_DEADLINE_MS);
  await app.close();
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
