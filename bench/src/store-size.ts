import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent } from "node:http";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import type { Collector } from "./collector.ts";

export type StoreSize = {
  readonly rows: number;
  /** The table of events: its columns, marks, indexes. */
  readonly eventsBytes: number;
  /** All tables of the database. */
  readonly databaseBytes: number;
};

/** Merges every part of `candor.events` into one and reads what is left on disk. The collector must be drained and idle. */
export async function mergedStoreSize(collector: Collector): Promise<StoreSize> {
  const client = engineClient(collector);
  try {
    await client.command({ query: "OPTIMIZE TABLE candor.events FINAL" });
    const [events] = await selectSizes(client, "AND table = 'events'");
    const [database] = await selectSizes(client, "");
    return {
      rows: Number(events?.rows ?? 0),
      eventsBytes: Number(events?.bytes ?? 0),
      databaseBytes: Number(database?.bytes ?? 0),
    };
  } finally {
    await client.close();
  }
}

async function selectSizes(
  client: ClickHouseClient,
  filter: string,
): Promise<{ rows: string; bytes: string }[]> {
  const result = await client.query({
    query: `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
            WHERE active AND database = 'candor' ${filter}`,
    format: "JSONEachRow",
  });
  return result.json();
}

/** The running engine through its own socket: nothing of the collector has to offer this. */
function engineClient(collector: Collector): ClickHouseClient {
  const enginePid = collector.enginePid();
  const socketPath = enginePid === undefined ? undefined : listeningSocket(enginePid);
  if (socketPath === undefined) throw new Error("the collector has no engine that listens on a unix socket");
  const options = { socketPath, keepAlive: true, maxSockets: 2 };
  return createClient({ url: "http://localhost", http_agent: new Agent(options), request_timeout: 600_000 });
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
