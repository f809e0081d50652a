/**
 * Gathers the doctor's facts about the machine, settings, plan, data folder, collector and ClickHouse
 * servers.
 */
import { createServer } from "node:net";
import { arch, platform, versions } from "node:process";
import { engineSupport } from "@candor/engine";
import { parseFields, reachCauseOf, textOf, toFields, toReachable, toShown } from "@candor/node/operator";
import { CandorError, type Config, causeOf, findKeys, listProductDirs, readProducts } from "@candor/server";
import { type Answer, ask } from "../collector.ts";
import { isLoopback, readSettings } from "../environment.ts";
import { listAttention } from "../plan/attention.ts";
import { examineFolder, examineQuarantine, measureDisk } from "./examine-folder.ts";
import type {
  CollectorFacts,
  Facts,
  ListeningFacts,
  OtherFacts,
  PlaceFacts,
  PlanFacts,
  ServerFacts,
} from "./facts.ts";

const TIMEOUT_MS = 3000;
/** The errors of a connection that reached no server. */
const NOBODY = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
]);

/** Gathers all facts. Invalid settings are reported as a fact, and `place` is then undefined. */
export async function gatherFacts(): Promise<Facts> {
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
  const { clickhouseUrls, dataDir, planPaths } = config;
  const listening = await examineListening(config);
  const isRunning = listening.answer.kind === "collector";
  const keys = examineKeys(config);
  return {
    usesServer: clickhouseUrls !== undefined,
    plans: examinePlans(planPaths, nowMs),
    folder: { ...(await examineFolder(dataDir)), keysFault: keys.fault },
    disk: await measureDisk(dataDir),
    quarantines: listProductDirs(dataDir).map(examineQuarantine),
    listening,
    clones: isRunning ? await examineClones(config, keys.token) : undefined,
    servers: isRunning ? [] : await examineServers(clickhouseUrls ?? []),
  };
}

/** Reads the plans as `candor start` would. */
function examinePlans(paths: readonly string[], nowMs: number): PlanFacts[] {
  try {
    return readProducts(paths).map(({ plan, planFile: file }) => {
      const attention = listAttention(plan, nowMs).map(({ where, text }) => `${where}: ${text}`);
      return { file, fault: undefined, product: plan.product, version: plan.version, attention };
    });
  } catch (error) {
    if (!(error instanceof CandorError)) throw error;
    return [{ file: paths.join(", "), fault: error.message, product: "", version: 0, attention: [] }];
  }
}

/**
 * Looks for a collector at the configured URL. If nothing listens there, finds out whether a collector could
 * listen on the configured host and port.
 */
async function examineListening(config: Config): Promise<ListeningFacts> {
  const url = toReachable(config.url);
  const { hostname, port, protocol } = new URL(url);
  const urlPort = Number(port || (protocol === "https:" ? 443 : 80));
  const isHere = hostname === config.host || hostname === "[::1]" || isLoopback(hostname);
  const isOwn = isHere && urlPort === config.port;
  const facts = { url: toShown(url), host: config.host, port: config.port, isOwn };
  try {
    return { ...facts, answer: await examineAnswer(url) };
  } catch (error) {
    const cause = reachCauseOf(error);
    if (!NOBODY.has(cause)) return { ...facts, answer: { kind: "other", why: cause } };
    return { ...facts, answer: { kind: "silent", cause, bindFault: await tryListening(config) } };
  }
}

async function examineAnswer(url: string): Promise<CollectorFacts | OtherFacts> {
  const askedAtMs = Date.now();
  const health = await ask(`${url}/healthz`, TIMEOUT_MS);
  const answeredAtMs = Date.now();
  const [ready, metrics] = await Promise.all([
    ask(`${url}/readyz`, TIMEOUT_MS),
    ask(`${url}/metrics`, TIMEOUT_MS),
  ]);
  const values = parseMetrics(metrics.body);
  if (health.status !== 200 || !values.has("candor_log_pending_rows"))
    return { kind: "other", why: `it answers, but not like Candor: status ${health.status}` };
  return {
    kind: "collector",
    unready: ready.status === 200 ? undefined : (sentenceOf(ready) ?? `status ${ready.status}`),
    aheadMs: toAhead(health.dateMs, askedAtMs, answeredAtMs),
    metrics: values,
  };
}

function sentenceOf({ body }: Answer): string | undefined {
  return /"message":"([^"\\]*)"/.exec(body)?.[1];
}

/**
 * Returns how far the collector's clock is ahead, in milliseconds; negative if it is behind, undefined
 * without `dateMs`. The Date header has whole seconds, so a difference that its rounding or the request's
 * duration can explain counts as 0.
 */
export function toAhead(
  dateMs: number | undefined,
  askedAtMs: number,
  answeredAtMs: number,
): number | undefined {
  if (dateMs === undefined) return undefined;
  if (dateMs > answeredAtMs) return dateMs - answeredAtMs;
  return Math.min(0, dateMs + 999 - askedAtMs);
}

/**
 * Reads the values without labels from Prometheus' text format. Of a metric with a value for each product, takes
 * the worst: a store that is down, the oldest row; of the comparisons, the newest; of numbers of rows, the sum.
 */
export function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name = "", value] of text.matchAll(/^(\w+)(?:\{product="[^"]*"\})? (\S+)$/gm)) {
    const known = values.get(name);
    values.set(name, known === undefined ? Number(value) : worseOf(name, known, Number(value)));
  }
  return values;
}

function worseOf(name: string, one: number, other: number): number {
  if (name === "candor_store_up") return Math.min(one, other);
  return name.endsWith("_seconds") ? Math.max(one, other) : one + other;
}

/**
 * Listens on the configured host and port for a moment, because there is no other way to find out whether
 * that is possible. Resolves to an error message; undefined if it worked, or if the port is 0 (any free one).
 */
async function tryListening({ host, port }: Config): Promise<string | undefined> {
  if (port === 0) return undefined;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return undefined;
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "EADDRINUSE") return new CandorError("port_in_use", { host, port }).message;
    return new CandorError("address_unavailable", { host, port, cause }).message;
  } finally {
    server.close();
  }
}

/** Pings each ClickHouse server, with a limit of TIMEOUT_MS. */
async function examineServers(urls: readonly string[]): Promise<ServerFacts[]> {
  return Promise.all(
    urls.map(async (configured): Promise<ServerFacts> => {
      const url = toShown(configured);
      try {
        const { status, body } = await ask(`${url}/ping`, TIMEOUT_MS);
        const isUp = status === 200 && body.trim() === "Ok.";
        return { url, fault: isUp ? undefined : `it answers, but not like ClickHouse: status ${status}` };
      } catch (error) {
        return { url, fault: reachCauseOf(error) };
      }
    }),
  );
}

/**
 * Asks the running collector how many instances have a copied state folder. Undefined without a token, or if
 * the collector does not report it.
 */
async function examineClones(config: Config, token: string | undefined): Promise<number | undefined> {
  if (token === undefined) return undefined;
  try {
    const url = toReachable(config.url);
    const listed = parseFields((await ask(`${url}/api/products`, TIMEOUT_MS, token)).body)?.products;
    let clones = 0;
    for (const product of Array.isArray(listed) ? listed : []) {
      const name = encodeURIComponent(textOf(toFields(product)?.name));
      const address = `${url}/api/reports/instances?product=${name}`;
      const cloned = parseFields((await ask(address, TIMEOUT_MS, token)).body)?.cloned;
      if (!Array.isArray(cloned)) return undefined;
      clones += cloned.length;
    }
    return Array.isArray(listed) ? clones : undefined;
  } catch {
    return undefined; // another check reports a failing collector
  }
}

/**
 * Returns the admin token, and what is wrong with keys.json, which is read even if the settings have the
 * token.
 */
function examineKeys(config: Config): KeysFacts {
  try {
    return { token: findKeys(config)?.adminToken ?? config.adminToken, fault: undefined };
  } catch (error) {
    if (error instanceof CandorError) return { token: config.adminToken, fault: error.message };
    throw error;
  }
}

interface KeysFacts {
  readonly token: string | undefined;
  /** Why keys.json cannot be used. Undefined if it does not exist or can be used. */
  readonly fault: string | undefined;
}
