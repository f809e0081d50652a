/** For tests: Candor in its own container, and all that can be read of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEvents, type StoredEvent } from "../../../conformance/src/read-api.ts";
import { startNameServer } from "../../../packages/node/src/http/rig/name-server.ts";
import type { Keys } from "../../../packages/server/src/keys.ts";
import { bytesBelow } from "../../../packages/server/src/rig/bytes-below.ts";
import { docker, run } from "./docker.ts";
import { isAnswered, until } from "./until.ts";

export const NETWORK = "candor";
/** The collector's name in the rig's network. */
export const HOST = "candor.test";
const PORT = 7226;
const START_MS = 120_000;

export interface Collector {
  /** Where the product's processes reach it. */
  readonly url: string;
  readonly address: string;
  /** The address of the name server for the product's containers. */
  readonly nameServer: string;
  /** The DNS queries for the collector's name so far. */
  readonly queries: () => number;
  readonly writeKeys: Keys["writeKeys"];
  /** All stored events, oldest first; by event if one is named. */
  readonly events: (event?: string) => Promise<readonly StoredEvent[]>;
  /** GETs JSON or text from any path, as the admin. */
  readonly read: (path: string) => Promise<string>;
  /** All names and contents below the data folder. */
  readonly bytes: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts the image that `npm run image` builds, read-only and as another user than root. */
export async function startCollector(): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), "candor-data-"));
  await run(["chown", "1000:1000", folder]);
  await docker("rm", "--force", "candor"); // it is still there after a run that was killed
  await docker("network", "rm", NETWORK).catch(() => {});
  await docker("network", "create", NETWORK);
  await docker(
    ...[
      "run",
      "--detach",
      "--name",
      "candor",
      "--read-only",
      "--tmpfs",
      "/tmp",
      "--volume",
      `${folder}:/data`,
    ],
    ...["--network", NETWORK, "--env", `CANDOR_URL=http://${HOST}:${PORT}`, "candor"],
  );
  const ofNetwork = async (name: string): Promise<string> =>
    (
      await docker(
        "inspect",
        "--format",
        `{{(index .NetworkSettings.Networks "${NETWORK}").${name}}}`,
        "candor",
      )
    ).trim();
  const [address, gateway] = [await ofNetwork("IPAddress"), await ofNetwork("Gateway")];
  // Containers resolve the collector's name here, so that each query is seen.
  const names = await startNameServer(
    (name, type) => (name !== HOST ? "nxdomain" : type === "A" ? [address] : []),
    { address: gateway, port: 53 },
  );
  const local = `http://${address}:${PORT}`;
  await until(
    () => isAnswered(`${local}/readyz`),
    START_MS,
    async () => `The collector is not ready: ${await docker("logs", "candor")}`,
  );
  const { writeKeys, adminToken } = JSON.parse(
    await docker("exec", "candor", "node", "packages/cli/bin/candor.js", "keys", "--json"),
  ) as Keys;
  return {
    url: `http://${HOST}:${PORT}`,
    address,
    nameServer: gateway,
    queries: () => names.queries.filter((query) => query.endsWith(` ${HOST}`)).length,
    writeKeys,
    events: async (event) =>
      (await readEvents({ url: local, adminToken }, event === undefined ? {} : { event })).reverse(),
    read: async (path) =>
      (await fetch(local + path, { headers: { authorization: `Bearer ${adminToken}` } })).text(),
    bytes: () => bytesBelow(folder),
    stop: async () => {
      names.close();
      await docker("rm", "--force", "--volumes", "candor");
      await docker("network", "rm", NETWORK);
      rmSync(folder, { recursive: true });
    },
  };
}
