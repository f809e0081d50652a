/** Renders what `candor start` prints: addresses, keys, and commands that work when pasted into sh. */
import { join } from "node:path";
import { toReachable, toShown } from "@candor/node/operator";
import type { Plan } from "@candor/plan";
import { type Config, type Product, SOURCES, type WriteKeys } from "@candor/server";
import { isLoopback } from "./environment.ts";
import { makeFirstMessage } from "./first-message.ts";
import { listAttention } from "./plan/attention.ts";
import { toNearPath } from "./plan/plan-file.ts";
import { type Colours, quote, toSafeText } from "./terminal.ts";

const DEFAULT_URL = "http://127.0.0.1:7226";

export interface BannerFacts {
  /** The address on which the collector listens, with its actual port. */
  readonly url: string;
  readonly adminToken: string;
  readonly products: readonly BannerProduct[];
  readonly config: Pick<Config, "host" | "dataDir" | "adminToken" | "clickhouseUrls">;
  readonly nowMs: number;
  /** The folder in which the command runs. `.candor` in it is the default data folder. */
  readonly workingDir: string;
}

interface BannerProduct extends Product {
  readonly writeKeys: WriteKeys;
}

export function renderBanner(facts: BannerFacts, colours: Colours): string {
  const { adminToken, config, products } = facts;
  const url = toReachable(facts.url);
  const { bold, dim, yellow } = colours;
  const row = (label: string, text: string): string => `  ${dim(label.padEnd(10))}  ${text}`;
  const areSeveral = products.length > 1;
  const rowsOf = ({ name, plan, planFile, writeKeys }: BannerProduct): readonly string[] => [
    ...(areSeveral ? ["", row("Product", bold(name))] : []),
    ...SOURCES.map((source, at) =>
      row(at === 0 ? "Write keys" : "", `${source.padEnd(9)}  ${writeKeys[source]}`),
    ),
    ...(areSeveral ? [] : [row("Data", describeData(config))]),
    row("Plan", describePlan(plan, toNearPath(planFile, facts.workingDir))),
    row("Privacy", `${url}/privacy${areSeveral ? `/${name}` : ""}`),
  ];
  const [first] = products;
  const read = `${url}/api/events${areSeveral ? `?product=${first?.name}` : ""}`;
  return [
    bold(`Candor is collecting on ${url}`),
    ...listWarnings(facts).map((warning) => yellow(`Warning: ${warning}`)),
    "",
    row("Read", read),
    row("Token", adminToken),
    ...(areSeveral ? [row("Data", describeData(config))] : []),
    ...products.flatMap(rowsOf),
    "",
    ...(first === undefined ? [] : listFirstSteps(first, facts.nowMs, url)),
    "Read it back:",
    `  curl -sS ${areSeveral ? quote(read) : read} -H ${quote(`Authorization: Bearer ${adminToken}`)}`,
    "Watch events arrive, in another terminal:",
    `  ${toTailCommand(facts, url)}${areSeveral ? ` --product ${first?.name}` : ""}`,
    "Stop: Ctrl-C",
    "",
    "",
  ].join("\n");
}

function describePlan({ product, version }: Plan, file: string): string {
  return toSafeText(`${product}, version ${version} (${file})`);
}

function listWarnings({ config, products, nowMs }: BannerFacts): readonly string[] {
  const exposed = `it listens on ${config.host}, beyond this machine, without TLS. Put a proxy that speaks TLS in front of it.`;
  const open = products
    .flatMap(({ plan }) => listAttention(plan, nowMs))
    .filter(({ kind }) => kind === "observe" || kind === "ip_keep");
  return [
    ...(isLoopback(config.host) ? [] : [exposed]),
    ...open.map(({ where, text }) => `${where}: ${text}`),
  ];
}

function listFirstSteps({ writeKeys, plan }: BannerProduct, nowMs: number, url: string): readonly string[] {
  const message = makeFirstMessage(plan, nowMs);
  if (message === undefined) return ["Every event of the plan has expired, so nothing is accepted."];
  const user = quote(`${writeKeys[message.source]}:`);
  const to = `${url}/v1/${message.type} -u ${user}`;
  return [
    "Send a first event:",
    `  curl -sS ${to} -H 'content-type: application/json' -d ${quote(message.json)}`,
  ];
}

function describeData({ dataDir, clickhouseUrls }: BannerFacts["config"]): string {
  if (clickhouseUrls === undefined) return `${dataDir} (embedded ClickHouse)`;
  return `${dataDir} (log), events in ClickHouse at ${clickhouseUrls.map(toShown).join(", ")}`;
}

/** Returns the `candor tail` command for another terminal, which does not have this terminal's settings. */
function toTailCommand({ adminToken, config, workingDir }: BannerFacts, url: string): string {
  const settings: string[] = [];
  if (url !== DEFAULT_URL) settings.push(`CANDOR_URL=${quote(url)} `);
  if (config.adminToken !== undefined) settings.push(`CANDOR_ADMIN_TOKEN=${quote(adminToken)} `);
  else if (config.dataDir !== join(workingDir, ".candor"))
    settings.push(`CANDOR_DATA_DIR=${quote(config.dataDir)} `);
  return `${settings.join("")}npx candor tail`;
}
