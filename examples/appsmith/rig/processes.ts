/** For tests: a machine on which Candor and the product run as plain processes, without Docker and without root. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEvents } from "../../../conformance/src/read-api.ts";
import { bytesBelow } from "../../../packages/server/src/rig/bytes-below.ts";
import { startProcess } from "../../../packages/server/src/rig/candor-process.ts";
import { type Collector, type Machine, type Place, type Release, readText, run } from "./machine.ts";
import { startRelay } from "./relay.ts";

const COMPOSE = fileURLToPath(new URL("processes/compose.mjs", import.meta.url));
const KEYS = { installer: "installer_key", server: "server_key", client: "client_key" };
const ADMIN_TOKEN = "token-of-the-rig";
/** The host name that the product's processes see. */
const HOST_NAME = "zqmachine.corp.example";
const SERVER = "appsmith-internal-server";

export async function startProcesses(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "candor-processes-"));
  const { collector, stop } = await startCollector(join(folder, "data"));
  const images = join(folder, "images");
  const programs = collectPrograms(folder);
  /**
   * The value of PATH: a folder with the programs that stand in for Docker and sudo, except those in
   * `without`, and then a folder with all other programs.
   */
  const toPath = (without: readonly string[]): string =>
    [makeStandIns(folder, images, without), programs].join(delimiter);
  const environment = {
    PATH: toPath([]),
    HOME: folder,
    TMPDIR: folder,
    HOSTNAME: HOST_NAME,
    RIG_HOST: HOST_NAME,
    RIG_OWNER: String(process.pid),
  };
  const stateOf = (place: Place, name: string): string =>
    readFileSync(join(place.folder, ".processes", name), "utf8");
  return {
    collector,
    folder,
    runtime: `node-${process.versions.node.split(".")[0]}`,
    settleMs: 150,
    environment,
    hostNames: async () => ["zqmachine", "localhost"],
    addRelease: async (out, version) => cpSync(out, join(images, version), { recursive: true }),
    prepare: () => {},
    advance: (place, minutes) => writeFileSync(join(place.folder, "clock/ahead"), `${minutes}\n`),
    toInstall: (place, release, { without = [], os = "debian" }) => [
      ...["env", `PATH=${toPath(without)}`, "sh"],
      join(copyInstaller(place, release, os), "install.sh"),
    ],
    command: ({ folder: cwd }, line) => run(["sh", "-c", line], { cwd, env: environment }),
    frontUrl: ({ port }) => `http://127.0.0.1:${port}`,
    databaseUrl: (place) => {
      const { postgres } = JSON.parse(stateOf(place, "ports.json")) as { postgres: number };
      return `postgres://appsmith@127.0.0.1:${postgres}/appsmith`;
    },
    serverLog: async (place) => stateOf(place, `${SERVER}.log`),
    serverStartedAtMs: async (place) =>
      (JSON.parse(stateOf(place, `${SERVER}.json`)) as { startedAtMs: number }).startedAtMs,
    stop: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startCollector(dataDir: string) {
  const candor = await startProcess({
    PATH: process.env.PATH ?? "",
    CANDOR_DATA_DIR: dataDir,
    CANDOR_ADMIN_TOKEN: ADMIN_TOKEN,
    CANDOR_WRITE_KEYS: Object.entries(KEYS)
      .map((pair) => pair.join(":"))
      .join(),
  });
  const relay = await startRelay(Number(new URL(candor.url).port));
  const access = { url: candor.url, adminToken: ADMIN_TOKEN };
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const collector: Collector = {
    url: `http://127.0.0.1:${relay.port}`,
    writeKeys: KEYS,
    events: async (event) => (await readEvents(access, event === undefined ? {} : { event })).reverse(),
    read: (path) => readText(candor.url + path, headers),
    bytes: () => bytesBelow(dataDir),
    log: async () => candor.output(),
    pause: async () => relay.pause(),
    resume: async () => relay.resume(),
    contacts: relay.connections,
    watch: async () => {
      const before = relay.times.length;
      return async () => relay.times.slice(before);
    },
  };
  const stop = async (): Promise<void> => {
    relay.close();
    await candor.stop();
  };
  return { collector, stop };
}

const STAND_INS = ["docker", "docker-compose", "sudo"];

/** Makes a folder with links to all programs in PATH except those that are replaced. @returns the folder */
function collectPrograms(folder: string): string {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  const seen = new Set(STAND_INS);
  for (const from of (process.env.PATH ?? "").split(delimiter))
    for (const name of listNames(from)) {
      if (seen.has(name)) continue;
      seen.add(name);
      symlinkSync(join(from, name), join(programs, name));
    }
  return programs;
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // PATH may name folders that do not exist
  }
}

function makeStandIns(folder: string, images: string, without: readonly string[]): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  const scripts: Readonly<Record<string, string>> = {
    docker: '[ -z "$DOCKER_HOST" ]', // `docker info` fails if DOCKER_HOST is set
    "docker-compose": `exec '${process.execPath}' '${COMPOSE}' '${images}' "$@"`,
    sudo: 'exec "$@"',
  };
  for (const name of STAND_INS.filter((one) => !without.includes(one))) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${scripts[name]}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Copies the installer and makes the copy read its own os-release file. @returns the copy's folder */
function copyInstaller({ folder }: Place, { installer }: Release, os: string): string {
  const copy = mkdtempSync(join(folder, "../installer-"));
  cpSync(installer, copy, { recursive: true });
  writeFileSync(join(copy, "os-release"), `ID=${os}\n`);
  for (const name of ["install.sh", "candor.sh"]) {
    const text = readFileSync(join(copy, name), "utf8");
    if (!text.includes("/etc/os-release")) throw new Error(`${name} does not read /etc/os-release.`);
    writeFileSync(join(copy, name), text.replaceAll("/etc/os-release", join(copy, "os-release")));
  }
  return copy;
}
