/** Renders what `candor start` prints: addresses, keys, and commands that work when pasted into sh. */
import { join } from "node:path";
import { toReachable, toShown } from "@candor/node/operator";
import type { Plan } from "@candor/plan";
import { type Config, type Keys, SOURCES } from "@candor/server";
import { isLoopback } from "./environment.ts";
import { makeFirstMessage } from "./first-message.ts";
import { listAttention } from "./plan/attention.ts";
import { toNearPath } from "./plan/plan-file.ts";
import { type Colours, quote, toSafeText } from "./terminal.ts";

const DEFAULT_URL = "http://127.0.0.1:7226";

export interface BannerFacts {
  /** The address on which the collector listens, with its actual port. */
  readonly url: string;
  readonly keys: Keys;
  readonly config: Pick<Config, "host" | "dataDir" | "planFile" | "adminToken" | "clickhouseUrls">;
  readonly plan: Plan;
  readonly nowMs: number;
  /** The folder in which the command runs. `.candor` in it is the default data folder. */
  readonly workingDir: string;
}

export function renderBanner(facts: BannerFacts, colours: Colours): string {
  const { keys, config, plan } = facts;
  const url = toReachable(facts.url);
  const { bold, dim, yellow } = colours;
  const row = (label: string, text: string): string => `  ${dim(label.padEnd(10))}  ${text}`;
  const planFile = toNearPath(config.planFile, facts.workingDir);
  return [
    bold(`Candor is collecting on ${url}`),
    ...listWarnings(facts).map((warning) => yellow(`Warning: ${warning}`)),
    "",
    row("Read", `${url}/api/events`),
    row("Token", keys.adminToken),
    ...SOURCES.map((source, at) =>
      row(at === 0 ? "Write keys" : "", `${source.padEnd(9)}  ${keys.writeKeys[source]}`),
    ),
    row("Data", describeData(config)),
    row("Plan", toSafeText(`${plan.product}, version ${plan.version} (${planFile})`)),
    row("Privacy", `${url}/privacy`),
    "",
    ...listFirstSteps(facts, url),
    "Read it back:",
    `  curl -sS ${url}/api/events -H ${quote(`Authorization: Bearer ${keys.adminToken}`)}`,
    "Watch events arrive, in another terminal:",
    `  ${toTailCommand(facts, url)}`,
    "Stop: Ctrl-C",
    "",
    "",
  ].join("\n");
}

function listWarnings({ config, plan, nowMs }: BannerFacts): readonly string[] {
  const exposed = `it listens on ${config.host}, beyond this machine, without TLS. Put a proxy that speaks TLS in front of it.`;
  const open = listAttention(plan, nowMs).filter(({ kind }) => kind === "observe" || kind === "ip_keep");
  return [
    ...(isLoopback(config.host) ? [] : [exposed]),
    ...open.map(({ where, text }) => `${where}: ${text}`),
  ];
}

function listFirstSteps({ keys, plan, nowMs }: BannerFacts, url: string): readonly string[] {
  const message = makeFirstMessage(plan, nowMs);
  if (message === undefined) return ["Every event of the plan has expired, so nothing is accepted."];
  const user = quote(`${keys.writeKeys[message.source]}:`);
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
function toTailCommand({ keys, config, workingDir }: BannerFacts, url: string): string {
  const settings: string[] = [];
  if (url !== DEFAULT_URL) settings.push(`CANDOR_URL=${quote(url)} `);
  if (config.adminToken !== undefined) settings.push(`CANDOR_ADMIN_TOKEN=${quote(keys.adminToken)} `);
  else if (config.dataDir !== join(workingDir, ".candor"))
    settings.push(`CANDOR_DATA_DIR=${quote(config.dataDir)} `);
  return `${settings.join("")}npx candor tail`;
}
