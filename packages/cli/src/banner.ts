import { join } from "node:path";
import { type Config, type Keys, SOURCES } from "@candor/server";
import { isLoopback, toReachable, toShown } from "./address.ts";
import type { Colours } from "./terminal.ts";

const DEFAULT_URL = "http://127.0.0.1:7226";
const HELLO = '{"type":"track","event":"Hello","userId":"me"}';

export interface BannerFacts {
  /** Where the collector listens, the real port included. */
  readonly url: string;
  readonly keys: Keys;
  readonly config: Pick<Config, "host" | "dataDir" | "adminToken" | "clickhouseUrls">;
  /** Folder in which the command runs: from there, ./.candor needs no setting. */
  readonly workingDir: string;
}

/** What a start prints: where to send, where to read, with which keys, and commands that work when pasted into sh. */
export function renderBanner(facts: BannerFacts, colours: Colours): string {
  const { keys, config } = facts;
  const url = toReachable(facts.url);
  const { bold, dim, yellow } = colours;
  const row = (label: string, text: string): string => `  ${dim(label.padEnd(10))}  ${text}`;
  const warning = isLoopback(config.host)
    ? []
    : [
        yellow(
          `Warning: it listens on ${config.host}, beyond this machine, without TLS. Put a proxy that speaks TLS in front of it.`,
        ),
      ];
  return [
    bold(`Candor is collecting on ${url}`),
    ...warning,
    "",
    row("Read", `${url}/api/events`),
    row("Token", keys.adminToken),
    ...SOURCES.map((source, at) =>
      row(at === 0 ? "Write keys" : "", `${source.padEnd(9)}  ${keys.writeKeys[source]}`),
    ),
    row("Data", describeData(config)),
    "",
    "Send a first event:",
    `  curl -sS ${url}/v1/track -u ${quote(`${keys.writeKeys.server}:`)} -H 'content-type: application/json' -d '${HELLO}'`,
    "Read it back:",
    `  curl -sS ${url}/api/events -H ${quote(`Authorization: Bearer ${keys.adminToken}`)}`,
    "Watch events arrive, in another terminal:",
    `  ${toTailCommand(facts, url)}`,
    "Stop: Ctrl-C",
    "",
    "",
  ].join("\n");
}

function describeData({ dataDir, clickhouseUrls }: BannerFacts["config"]): string {
  if (clickhouseUrls === undefined) return `${dataDir} (embedded ClickHouse)`;
  return `${dataDir} (log), events in ClickHouse at ${clickhouseUrls.map(toShown).join(", ")}`;
}

/** The other terminal does not have this one's settings. */
function toTailCommand({ keys, config, workingDir }: BannerFacts, url: string): string {
  const settings: string[] = [];
  if (url !== DEFAULT_URL) settings.push(`CANDOR_URL=${quote(url)} `);
  if (config.adminToken !== undefined) settings.push(`CANDOR_ADMIN_TOKEN=${quote(keys.adminToken)} `);
  else if (config.dataDir !== join(workingDir, ".candor"))
    settings.push(`CANDOR_DATA_DIR=${quote(config.dataDir)} `);
  return `${settings.join("")}npx candor tail`;
}

/** A word for sh. A chosen token may hold any sign, a folder's name too. */
function quote(word: string): string {
  return /^[\w./:@%+=,~-]+$/.test(word) && !word.startsWith("~")
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
