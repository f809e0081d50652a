/**
 * For tests: the machine that the contract tests need, with the product in containers or as plain processes.
 */
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

/** The collector, and everything that tests can read from it. */
export interface Collector {
  /** The URL at which the product's processes reach the collector. */
  readonly url: string;
  readonly writeKeys: Keys["writeKeys"];
  /** All stored events, or only those of the given name, oldest first. */
  readonly events: (event?: string) => Promise<readonly StoredEvent[]>;
  /** Reads any path with the admin token. @returns the answer's body @throws if the answer is an error */
  readonly read: (path: string) => Promise<string>;
  /** The names and contents of all files in the data folder, as one text. */
  readonly bytes: () => string;
  /** What the collector's process has printed. */
  readonly log: () => Promise<string>;
  /** Leaves the product's requests unanswered until `resume`. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /**
   * How many times products have tried to reach the collector so far: DNS queries for its name, or
   * connections if it has no name.
   */
  readonly contacts: () => number;
  /**
   * Watches what products send to the collector, and with containers also every packet in return and DNS
   * queries for its name.
   * @returns a function that ends the watch and returns the times at which something was seen, in epoch
   * milliseconds
   */
  readonly watch: () => Promise<() => Promise<readonly number[]>>;
}

export interface Release {
  readonly version: string;
  /** The path of the folder that an operator downloads. */
  readonly installer: string;
}

/** What is different on the machine while the installer runs there. */
export interface Circumstances {
  /** Programs that the installer does not find. */
  readonly without?: readonly string[];
  /**
   * The `ID` in /etc/os-release. Default: `debian` with plain processes, the machine's own with containers.
   */
  readonly os?: string;
}

/** A machine with a collector, on which products can be installed. */
export interface Machine {
  readonly collector: Collector;
  /** A folder for the tests' files, deleted with its contents when the machine stops. */
  readonly folder: string;
  /** The server's runtime, as its heartbeat names it. */
  readonly runtime: string;
  /** Host names, which no event may contain. */
  readonly hostNames: () => Promise<readonly string[]>;
  /** Makes a release available to the installers. @param out the folder that build.mjs has written */
  readonly addRelease: (out: string, version: string) => Promise<void>;
  /** Adds to a product's folder what the rig needs there. */
  readonly prepare: (product: Place) => void;
  /** Sets how far the clock of a product's server is ahead of the real time. */
  readonly advance: (product: Place, minutes: number) => void;
  /** How long a server takes to react after its clock was set. */
  readonly settleMs: number;
  /** The command that runs a release's installer. The installer's parameters are appended to it. */
  readonly toInstall: (product: Place, release: Release, circumstances: Circumstances) => readonly string[];
  /** The environment variables of installers. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a command line in the product's folder, as an operator types it. @returns what it printed */
  readonly command: (product: Place, line: string) => Promise<string>;
  /** The URL at which the product's server reaches the product's pages. */
  readonly frontUrl: (product: Place) => string;
  /** The URL at which the product's server reaches its database. */
  readonly databaseUrl: (product: Place) => string;
  readonly serverLog: (product: Place) => Promise<string>;
  /** When the server's process started, in epoch milliseconds. */
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

/**
 * Runs a program and waits until it has ended.
 * @returns what the program printed to stdout
 * @throws Error with what the program printed, if it fails
 */
export async function run(
  [program = "", ...parameters]: readonly string[],
  { cwd = ROOT, env = process.env }: RunOptions = {},
): Promise<string> {
  const { stdout } = await execute(program, parameters, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

/** GETs a URL. @returns the answer's body @throws Error with the body, if the answer is an error */
export async function readText(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/**
 * Builds a version of the product for a machine.
 * @param plan the plan's file; default: plans/appsmith.yaml
 */
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
