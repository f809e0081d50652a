/** Owns a connection to the embedded engine beside the collector, for questions that no API answers. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent } from "node:http";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Collector } from "./collector.ts";

/** Lends a client that speaks to the engine through its own socket, and closes it afterwards. */
export async function withEngine<T>(
  collector: Collector,
  use: (client: ClickHouseClient) => Promise<T>,
): Promise<T> {
  const client = openClient(collector);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function openClient(collector: Collector): ClickHouseClient {
  const enginePid = collector.enginePid();
  const socketPath = enginePid === undefined ? undefined : listeningSocket(enginePid);
  if (socketPath === undefined) throw new Error("the collector has no engine that listens on a unix socket");
  const options = { socketPath, keepAlive: true, maxSockets: 2 };
  return createClient({
    url: "http://localhost",
    http_agent: new Agent(options),
    request_timeout: 600_000,
    // Otherwise it warns about proxies that close idle connections; a unix socket has none.
    log: { level: ClickHouseLogLevel.ERROR },
  });
}

/** The path of a unix socket that the process holds open, from /proc/net/unix by inode. */
function listeningSocket(pid: number): string | undefined {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path; the flag 00010000 marks a listening socket.
    const [, , , flags, , , inode, path] = line.trim().split(/\s+/);
    if (flags === "00010000" && inode !== undefined && inodes.has(inode) && path !== undefined) return path;
  }
  return undefined;
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
