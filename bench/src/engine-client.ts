/** Opens direct connections to the collector's embedded engine, for questions that no API answers. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent } from "node:http";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Collector } from "./collector.ts";

/** Calls `use` with a client that is connected to the engine's socket, and closes the client afterwards. */
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
    // By default, the client warns about proxies that close idle connections, but a unix socket has no proxy.
    log: { level: ClickHouseLogLevel.ERROR },
  });
}

/**
 * The path of a unix socket on which the process listens; undefined if there is none. Looks up the inodes of
 * the process's sockets in /proc/net/unix.
 */
function listeningSocket(pid: number): string | undefined {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
    // The columns: Num RefCount Protocol Flags Type St Inode Path. The flag 00010000
    // marks a listening socket.
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
