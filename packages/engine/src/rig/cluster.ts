/** Starts a real ClickHouse cluster for tests. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { builtFile } from "../built-file.ts";
import { serverConfigXml } from "../limits.ts";
import type { ClusterServerOptions } from "./cluster-server.ts";

export interface Cluster {
  /** One HTTP address per shard, on the loopback interface. */
  urls: string[];
  /** The cluster's name in `remote_servers`. */
  clusterName: string;
  /** Kills the servers. Their files are kept. */
  close(): Promise<void>;
}

const CLUSTER_NAME = "candor_rig";
const START_TIMEOUT_MS = 30_000;

/**
 * Starts real ClickHouse servers that form a cluster with one replica per shard. ClickHouse does not have to
 * be installed: libchdb contains clickhouse-local, which can be made to listen. It does not support users,
 * passwords or Keeper, and therefore neither ON CLUSTER nor replication.
 * @param options.dir the folder in which each server gets its own folder
 */
export async function startCluster(options: { shards: number; dir: string }): Promise<Cluster> {
  const ports = await freePorts(options.shards * 2);
  const dir = resolve(options.dir);
  mkdirSync(dir, { recursive: true });
  const configFile = join(dir, "cluster.xml");
  writeFileSync(configFile, serverConfigXml(remoteServers(ports.filter((_, i) => i % 2 === 1))));
  const servers = Array.from({ length: options.shards }, (_, shard) => ({
    dir: join(dir, `shard-${shard + 1}`),
    configFile,
    httpPort: ports[shard * 2] ?? 0,
    tcpPort: ports[shard * 2 + 1] ?? 0,
  }));
  const children = servers.map(spawnServer);
  const close = async () => {
    await Promise.all(children.map(endServer));
  };
  const urls = servers.map((server) => `http://127.0.0.1:${server.httpPort}`);
  try {
    await Promise.all(urls.map((url, i) => untilAnswering(url, children[i])));
  } catch (error) {
    await close();
    throw error;
  }
  return { urls, clusterName: CLUSTER_NAME, close };
}

function remoteServers(tcpPorts: number[]): string {
  const shards = tcpPorts.map(
    (port) => `<shard><replica><host>127.0.0.1</host><port>${port}</port></replica></shard>`,
  );
  return `<remote_servers><${CLUSTER_NAME}>${shards.join("")}</${CLUSTER_NAME}></remote_servers>\n`;
}

function spawnServer(options: ClusterServerOptions): ChildProcess {
  return fork(builtFile("./cluster-server.js", import.meta.url), [JSON.stringify(options)], {
    env: { TZ: "UTC" },
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function untilAnswering(url: string, child: ChildProcess | undefined): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const complaint = child?.stderr ? text(child.stderr) : Promise.resolve("");
  while (Date.now() < deadline) {
    if (child?.signalCode != null || child?.exitCode != null) {
      throw new Error(`the ClickHouse server at ${url} ended: ${await complaint}`);
    }
    const answer = await fetch(`${url}/ping`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(`the ClickHouse server at ${url} does not answer`);
}

/**
 * Returns ports that are free at this moment. If another process takes a port before the server does, the
 * server ends with an error.
 */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
