/** For tests: a machine on which Candor and the product run in containers, with a network that can be watched. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readEvents } from "../../../conformance/src/read-api.ts";
import { startNameServer } from "../../../packages/node/src/http/rig/name-server.ts";
import type { Keys } from "../../../packages/server/src/keys.ts";
import { bytesBelow } from "../../../packages/server/src/rig/bytes-below.ts";
import { docker } from "./docker.ts";
import { type Collector, type Machine, type Place, readText, run } from "./machine.ts";
import { isAnswered, until } from "./until.ts";

const NETWORK = "candor";
/** The collector's name in the rig's network. */
const HOST = "candor.test";
const PORT = 7226;
const START_MS = 120_000;
const SERVER = "appsmith-internal-server";
const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const SUDOERS = "Defaults env_keep += DOCKER_HOST\nroot ALL=(ALL:ALL) NOPASSWD: ALL\n";

export interface ContainerMachine extends Machine {
  /** The address of the name server for containers. */
  readonly nameServer: string;
}

export async function startContainers(): Promise<ContainerMachine> {
  const folder = mkdtempSync(join(tmpdir(), "candor-containers-"));
  const { collector, address, nameServer, stop } = await startCollector(join(folder, "data"));
  const serverOf = ({ folder: at }: Place): string => `${basename(at)}_${SERVER}_1`;
  const inspect = (place: Place, format: string) => docker("inspect", "--format", format, serverOf(place));
  const { CI: _, ...environment } = process.env;
  writeFileSync(join(folder, "hosts"), `127.0.0.1 localhost\n${address} ${HOST}\n`);
  writeFileSync(join(folder, "sudoers"), SUDOERS, { mode: 0o440 });
  return {
    collector,
    nameServer,
    folder,
    runtime: "node-26",
    settleMs: 400,
    environment,
    hostNames: async () => [
      ...(await docker("ps", "--format", "{{.ID}}")).trim().split("\n"),
      ...[HOST, "nginx"],
    ],
    addRelease: async (out, version) => {
      for (const part of ["server", "nginx"]) {
        const flags = ["--build-arg", `VERSION=${version}`, "--tag", `appsmith-${part}:${version}`];
        await docker("build", ...flags, join(out, part));
      }
    },
    prepare: (place) =>
      writeFileSync(join(place.folder, "docker-compose.override.yml"), overrideFile(nameServer)),
    advance: (place, minutes) => writeFileSync(join(place.folder, "clock/offset"), `+${minutes}m\n`),
    toInstall: (place, { installer }, { without = [], os }) => {
      const release = join(place.folder, "../os-release");
      if (os !== undefined) writeFileSync(release, `ID=${os}\n`);
      const steps = [
        `mount --bind ${folder}/hosts /etc/hosts`,
        ...(os === undefined ? [] : [`mount --bind ${release} /etc/os-release`]),
        ...without.map(
          (name) => `for at in $(which -a ${name}); do mount --bind /dev/null "$at" || exit; done`,
        ),
        `exec sh ${installer}/install.sh "$@"`,
      ];
      return ["unshare", "--mount", "sh", "-c", steps.join(" && "), "sh"];
    },
    // Replaces the sudoers file, so that sudo keeps DOCKER_HOST.
    command: ({ folder: cwd }, line) =>
      run(["unshare", "--mount", "sh", "-c", `mount --bind ${folder}/sudoers /etc/sudoers && ${line}`], {
        cwd,
      }),
    frontUrl: () => "http://nginx",
    databaseUrl: (place) =>
      /^APPSMITH_DB_URL=(.*)$/m.exec(readFileSync(join(place.folder, "docker.env"), "utf8"))?.[1] ?? "",
    serverLog: (place) => docker("logs", serverOf(place)),
    serverStartedAtMs: async (place) => Date.parse(await inspect(place, "{{.State.StartedAt}}")),
    stop: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * What the rig adds to the product's docker-compose.yml: a network and a name server for reaching the
 * collector, and a clock that can be set.
 */
function overrideFile(dns: string): string {
  const environment = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: "/clock/offset",
    FAKETIME_NO_CACHE: "1",
  };
  const server = { dns, networks: ["default", "collector"], volumes: ["./clock:/clock"], environment };
  return JSON.stringify({
    version: "3",
    services: { nginx: { dns }, postgres: { dns }, [SERVER]: server },
    networks: { collector: { external: { name: NETWORK } } },
  });
}

interface CollectorContainer {
  readonly collector: Collector;
  readonly address: string;
  readonly nameServer: string;
  readonly stop: () => Promise<void>;
}

/** Starts the image built by `npm run image`, with a read-only file system and as a non-root user. */
async function startCollector(folder: string): Promise<CollectorContainer> {
  await run(["install", "--directory", "--owner=1000", "--group=1000", folder]);
  await docker("rm", "--force", "candor"); // left over if an earlier run was killed
  await docker("network", "rm", NETWORK).catch(() => {});
  await docker("network", "create", NETWORK);
  const flags = ["--detach", "--name", "candor", "--read-only", "--tmpfs", "/tmp"];
  const setting = `CANDOR_URL=http://${HOST}:${PORT}`;
  const volume = `${folder}:/data`;
  await docker("run", ...flags, "--volume", volume, "--network", NETWORK, "--env", setting, "candor");
  const ofNetwork = async (name: string): Promise<string> => {
    const format = `{{(index .NetworkSettings.Networks "${NETWORK}").${name}}}`;
    return (await docker("inspect", "--format", format, "candor")).trim();
  };
  const [address, nameServer] = [await ofNetwork("IPAddress"), await ofNetwork("Gateway")];
  // Containers resolve the collector's name through this name server, which records each query.
  const names = await startNameServer(
    (name, type) => (name !== HOST ? "nxdomain" : type === "A" ? [address] : []),
    { address: nameServer, port: 53 },
  );
  const url = `http://${address}:${PORT}`;
  await until(
    () => isAnswered(`${url}/readyz`),
    START_MS,
    async () => `The collector is not ready: ${await docker("logs", "candor")}`,
  );
  const { writeKeys, adminToken } = JSON.parse(
    await docker("exec", "candor", "node", "packages/cli/bin/candor.js", "keys", "--json"),
  ) as Keys;
  const authorization = `Bearer ${adminToken}`;
  const collector: Collector = {
    url: `http://${HOST}:${PORT}`,
    contacts: () => names.queries.filter((query) => query.endsWith(` ${HOST}`)).length,
    writeKeys,
    events: async (event) =>
      (await readEvents({ url, adminToken }, event === undefined ? {} : { event })).reverse(),
    read: (path) => readText(url + path, { authorization }),
    bytes: () => bytesBelow(folder),
    log: () => docker("logs", "candor"),
    pause: async () => void (await docker("pause", "candor")),
    resume: async () => void (await docker("unpause", "candor")),
    watch: () => watchNetwork(address),
  };
  const stop = async (): Promise<void> => {
    names.close();
    await docker("rm", "--force", "--volumes", "candor");
    await docker("network", "rm", NETWORK);
  };
  return { collector, address, nameServer, stop };
}

/** Watches every interface for packets to or from the collector, and for DNS queries for its name. */
async function watchNetwork(address: string): Promise<() => Promise<readonly number[]>> {
  const filter = `host ${address} or port 53`;
  const capture = spawn("tcpdump", ["-n", "-l", "-tt", "-i", "any", ...filter.split(" ")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  capture.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  await once(capture.stderr, "data"); // tcpdump prints that it is listening
  await sleep(500);
  return async () => {
    await sleep(500);
    capture.kill("SIGINT");
    await once(capture, "close");
    const lines = output.split("\n").filter((line) => line.includes(`${address}.`) || line.includes(HOST));
    return lines.map((line) => Number(line.split(" ")[0]) * 1000);
  };
}
