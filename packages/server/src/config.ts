/** Defines the collector's settings, and reads them from an environment. */
import { BlockList, isIP } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PLAN_SOURCES, type PlanSourceName } from "@candor/plan/runtime";
import { CandorError } from "./errors.ts";

/** The sources that messages can come from. Each source has its own write key. */
export const SOURCES = PLAN_SOURCES;
export type Source = PlanSourceName;

/** All settings, each with its environment variable and its default. */
export interface Config {
  /** Address to listen on. `CANDOR_HOST`, default 127.0.0.1. */
  readonly host: string;
  /** Port to listen on; 0 picks any free port. `CANDOR_PORT`, default 7226. */
  readonly port: number;
  /** Absolute path of the folder for all of Candor's data. `CANDOR_DATA_DIR`, default ./.candor. */
  readonly dataDir: string;
  /**
   * Absolute paths of the products' plans, each a file or a folder of files. `CANDOR_PLAN`, several separated by
   * commas; the default is the Appsmith plan that ships with Candor.
   */
  readonly planPaths: readonly string[];
  /**
   * Write keys chosen by the operator. For a source without one, a key is generated and stored.
   * `CANDOR_WRITE_KEYS`, written as `source:KEY,...`, with several products as `product/source:KEY,...`.
   */
  readonly writeKeys: readonly ChosenKey[];
  /** Admin token chosen by the operator; generated and stored if not set. `CANDOR_ADMIN_TOKEN`. */
  readonly adminToken: string | undefined;
  /**
   * HTTP addresses of ClickHouse, one for each node of a cluster; undefined for the embedded engine.
   * `CANDOR_CLICKHOUSE_URL`.
   */
  readonly clickhouseUrls: readonly string[] | undefined;
  /**
   * Name of the cluster (in system.clusters) across which events are distributed; undefined without a
   * cluster. `CANDOR_CLICKHOUSE_CLUSTER`.
   */
  readonly clickhouseCluster: string | undefined;
  /**
   * Proxies whose Forwarded and X-Forwarded-* headers are trusted. `CANDOR_TRUSTED_PROXIES`, such as
   * `10.0.0.0/8,::1`; default none.
   */
  readonly trustedProxies: BlockList;
  /**
   * Origins at which instances reach this collector, such as `https://t.example.org`; undefined to derive
   * them from each request's headers. `CANDOR_ORIGINS`.
   */
  readonly origins: readonly string[] | undefined;
  /**
   * The smallest group of instances that the public statistics show, at least 5; undefined to publish none.
   * `CANDOR_PUBLIC_STATS`, such as 20.
   */
  readonly publicStats: number | undefined;
  /**
   * Address at which the `candor` commands reach a running collector. `CANDOR_URL`, default http://HOST:PORT.
   */
  readonly url: string;
}

/** A write key that the operator has chosen. A source may have several, all of which are accepted. */
export interface ChosenKey {
  /** The product's name (products.ts); undefined if the setting names none. */
  readonly product: string | undefined;
  readonly source: Source;
  readonly key: string;
}

const DEFAULT_PLAN = fileURLToPath(new URL("../../../plans/appsmith.yaml", import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;
type Report = (fault: string) => undefined;

const NAMES: ReadonlySet<string> = new Set([
  "CANDOR_HOST",
  "CANDOR_PORT",
  "CANDOR_DATA_DIR",
  "CANDOR_PLAN",
  "CANDOR_WRITE_KEYS",
  "CANDOR_ADMIN_TOKEN",
  "CANDOR_CLICKHOUSE_URL",
  "CANDOR_CLICKHOUSE_CLUSTER",
  "CANDOR_TRUSTED_PROXIES",
  "CANDOR_ORIGINS",
  "CANDOR_PUBLIC_STATS",
  "CANDOR_URL",
]);

/**
 * Reads the settings from an environment. An empty or blank value is treated as unset.
 * @throws CandorError `settings_invalid`, listing all faults at once, including unknown CANDOR_ names. The
 * message contains no values, because some are secrets
 */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const report: Report = (fault) => void faults.push(`  - ${fault}`);
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;

  for (const name of Object.keys(environment).sort()) {
    if (name.startsWith("CANDOR_") && !NAMES.has(name)) report(`${name} is not a setting${hintFor(name)}.`);
  }
  const host = readHost(read("CANDOR_HOST"), report);
  const port = readPort(read("CANDOR_PORT"), report);
  const config: Config = {
    host,
    port,
    dataDir: resolve(read("CANDOR_DATA_DIR") ?? ".candor"),
    planPaths: (read("CANDOR_PLAN") ?? DEFAULT_PLAN).split(",").map((path) => resolve(path.trim())),
    writeKeys: readWriteKeys(read("CANDOR_WRITE_KEYS"), report),
    adminToken: readToken(read("CANDOR_ADMIN_TOKEN"), report),
    clickhouseUrls: readUrls(read("CANDOR_CLICKHOUSE_URL"), report),
    clickhouseCluster: readCluster(read("CANDOR_CLICKHOUSE_CLUSTER"), read("CANDOR_CLICKHOUSE_URL"), report),
    trustedProxies: readProxies(read("CANDOR_TRUSTED_PROXIES"), report),
    origins: readOrigins(read("CANDOR_ORIGINS"), report),
    publicStats: readMinGroup(read("CANDOR_PUBLIC_STATS"), report),
    url:
      readUrl("CANDOR_URL", read("CANDOR_URL"), report) ??
      `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
  };
  if (faults.length > 0) throw new CandorError("settings_invalid", { faults: faults.join("\n") });
  return config;
}

/** Suggests the setting that was probably meant. If none is similar, lists all settings. */
function hintFor(name: string): string {
  const near = [...NAMES].find(
    (known) => known.startsWith(name.slice(0, -1)) || name.startsWith(known.slice(0, -1)),
  );
  return near === undefined ? `; the settings are ${[...NAMES].join(", ")}` : `; did you mean ${near}?`;
}

function readHost(value = "127.0.0.1", report: Report): string {
  if (isIP(value) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value)) {
    report(
      "CANDOR_HOST is not an address. Write an IP address or a host name, such as 127.0.0.1 or 0.0.0.0.",
    );
  }
  return value;
}

function readPort(value = "7226", report: Report): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    report("CANDOR_PORT is not a port. Write a whole number from 0 (any free port) to 65535.");
  }
  return Number(value);
}

function readWriteKeys(value: string | undefined, report: Report): readonly ChosenKey[] {
  const keys: ChosenKey[] = [];
  for (const entry of value?.split(",") ?? []) {
    const [, product, source, key] =
      /^\s*(?:([a-z0-9-]{1,100})\/)?(\w+)\s*:\s*([A-Za-z0-9._~-]{1,128})\s*$/.exec(entry) ?? [];
    if (source === undefined || key === undefined) {
      report(
        "CANDOR_WRITE_KEYS has an entry that is not source:KEY or product/source:KEY (a key has letters, digits, . _ ~ -). Write installer:KEY,server:KEY,client:KEY.",
      );
    } else if (!isSource(source))
      report(`CANDOR_WRITE_KEYS names a source that is none of ${SOURCES.join(", ")}.`);
    else keys.push({ product, source, key });
  }
  if (new Set(keys.map(({ key }) => key)).size < keys.length) {
    report(
      "CANDOR_WRITE_KEYS gives one key twice. Each source of each product needs its own, because the key tells them apart.",
    );
  }
  return keys;
}

function isSource(name: string): name is Source {
  return SOURCES.some((source) => source === name);
}

function readToken(value: string | undefined, report: Report): string | undefined {
  if (value !== undefined && !/^[\x21-\x7e]+$/.test(value)) {
    report(
      "CANDOR_ADMIN_TOKEN holds blanks or characters outside ASCII. Write one word of letters, digits and signs.",
    );
  }
  return value;
}

function readUrls(value: string | undefined, report: Report): string[] | undefined {
  return value?.split(",").map((url) => readUrl("CANDOR_CLICKHOUSE_URL", url.trim(), report) ?? "");
}

function readUrl(name: string, value: string | undefined, report: Report): string | undefined {
  if (value === undefined) return undefined;
  const isHttp = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (isHttp) return value.replace(/\/+$/, "");
  return report(
    `${name} is not an HTTP address. Write http://host:port${name === "CANDOR_URL" ? "" : ", for a cluster one for each node, separated by commas"}.`,
  );
}

function readCluster(value: string | undefined, url: string | undefined, report: Report): string | undefined {
  if (value === undefined) {
    if (url?.includes(","))
      report(
        "CANDOR_CLICKHOUSE_URL has several addresses, but there is no CANDOR_CLICKHOUSE_CLUSTER. Set it too, or give one address.",
      );
    return undefined;
  }
  if (!/^\w+$/.test(value)) report("CANDOR_CLICKHOUSE_CLUSTER is not a name of letters, digits and _.");
  if (url === undefined)
    report("CANDOR_CLICKHOUSE_CLUSTER is set without CANDOR_CLICKHOUSE_URL. Set both, or neither.");
  return value;
}

function readOrigins(value: string | undefined, report: Report): string[] | undefined {
  return value?.split(",").flatMap((entry) => {
    const { protocol, origin, href } = URL.canParse(entry.trim()) ? new URL(entry.trim()) : NO_URL;
    if (/^https?:$/.test(protocol) && href === `${origin}/`) return [origin];
    report(
      "CANDOR_ORIGINS has an entry that is no origin. Write https://telemetry.example.org, without a path, several separated by commas.",
    );
    return [];
  });
}

const NO_URL = { protocol: "", origin: "", href: "" };

const LEAST_GROUP = 5;

function readMinGroup(value: string | undefined, report: Report): number | undefined {
  if (value === undefined) return undefined;
  const minGroup = Number(value);
  if (/^\d{1,6}$/.test(value) && minGroup >= LEAST_GROUP) return minGroup;
  return report(
    `CANDOR_PUBLIC_STATS is not a size of groups. Write the smallest number of instances to publish, ${LEAST_GROUP} or more, such as 20; leave it out to publish nothing.`,
  );
}

function readProxies(value: string | undefined, report: Report): BlockList {
  const proxies = new BlockList();
  for (const entry of value?.split(",") ?? []) {
    const [address = "", bits] = entry.trim().split("/");
    const family = isIP(address);
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) {
      report("CANDOR_TRUSTED_PROXIES has an entry that is no address or network. Write 10.0.0.0/8,::1.");
    } else proxies.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
  return proxies;
}
