/** For tests: what the rows need of a machine, whether the product runs there in containers or as plain processes. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StoredEvent } from "../../../conformance/src/read-api.ts";
import type { Keys } from "../../../packages/server/src/keys.ts";

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BUILD = fileURLToPath(new URL("../build.mjs", import.meta.url));
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/** Candor, and all that can be read of it. */
export interface Collector {
  /** Where the product's processes reach it. */
  readonly url: string;
  readonly writeKeys: Keys["writeKeys"];
  /** All stored events, oldest first; by event if one is named. */
  readonly events: (event?: string) => Promise<readonly StoredEvent[]>;
  /** GETs JSON or text from any path, as the admin. @throws if the answer is an error */
  readonly read: (path: string) => Promise<string>;
  /** All names and contents below the data folder. */
  readonly bytes: () => string;
  /** What its process has printed. */
  readonly log: () => Promise<string>;
  /** Stops answering the product, whose requests are then without an answer until `resume`. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** How often it was looked for so far: queries for its name, or connections if it has none. */
  readonly contacts: () => number;
  /**
   * Watches for anything that products send to it, or to find it.
   * @returns a function that ends the watch and returns the time of each, epoch milliseconds
   */
  readonly watch: () => Promise<() => Promise<readonly number[]>>;
}

export interface Release {
  readonly version: string;
  /** The folder that an operator downloads. */
  readonly installer: string;
}

/** What is different on the machine while the installer runs there. */
export interface Circumstances {
  /** Programs that the machine does not have. */
  readonly without?: readonly string[];
  /** The system's ID. Default: debian. */
  readonly os?: string;
}

/** Where the rows run: a collector, and whatever it takes to install products beside it. */
export interface Machine {
  readonly collector: Collector;
  /** A folder for the rows' files, deleted with all that is in it when the machine stops. */
  readonly folder: string;
  /** The server's runtime, as its heartbeat names it. */
  readonly runtime: string;
  /** Names of hosts, which no event may hold. */
  readonly hostNames: () => Promise<readonly string[]>;
  /** Makes a release available to the installers. @param out what build.mjs has written */
  readonly addRelease: (out: string, version: string) => Promise<void>;
  /** Adds to a product's folder what the rig needs there. */
  readonly prepare: (product: Place) => void;
  /** Sets how far the clock of a product's server is ahead. */
  readonly advance: (product: Place, minutes: number) => void;
  /** How long a server takes to act on a clock that was set. */
  readonly settleMs: number;
  /** The command that runs a release's installer with the parameters that are appended. */
  readonly toInstall: (product: Place, release: Release, circumstances: Circumstances) => readonly string[];
  /** The environment of installers. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a command line in the product's folder, as an operator types it. @returns what it printed */
  readonly command: (product: Place, line: string) => Promise<string>;
  /** The product's pages, as its server reaches them. */
  readonly frontUrl: (product: Place) => string;
  /** The product's database, as its server reaches it. */
  readonly databaseUrl: (product: Place) => string;
  readonly serverLog: (product: Place) => Promise<string>;
  /** When the server's process began, epoch milliseconds. */
  readonly serverStartedAtMs: (product: Place) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Where one product is installed. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. @returns what it printed to stdout @throws if it fails, with what it printed */
export async function run(
  [program = "", ...parameters]: readonly string[],
  { cwd = ROOT, env = process.env }: RunOptions = {},
): Promise<string> {
  const { stdout } = await execute(program, parameters, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

/** GETs a text. @throws if the answer is an error, with its body */
export async function readText(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** Builds a version of the product for a machine. @param plan the plan's file; default: plans/appsmith.yaml */
export async function buildRelease(machine: Machine, version: string, plan?: string): Promise<Release> {
  const { url, writeKeys } = machine.collector;
  const out = join(machine.folder, "releases", version);
  const env = {
    ...process.env,
    TELEMETRY_URL: url,
    INSTALLER_KEY: writeKeys.installer,
    SERVER_KEY: writeKeys.server,
    CLIENT_KEY: writeKeys.client,
  };
  const planFlags = plan === undefined ? [] : ["--plan", plan];
  await run([process.execPath, BUILD, "--version", version, "--out", out, ...planFlags], { env });
  await machine.addRelease(out, version);
  return { version, installer: join(out, "installer") };
}
