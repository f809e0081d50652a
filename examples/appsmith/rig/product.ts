/** For tests: the product as an operator installs, uses and upgrades it. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Execution } from "../server/src/plugins.ts";
import { type Collector, HOST, NETWORK } from "./collector.ts";
import { docker, run } from "./docker.ts";
import { isAnswered, until } from "./until.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BUILD = fileURLToPath(new URL("../build.mjs", import.meta.url));
const TERMINAL = join(ROOT, "packages/installer/src/rig/terminal.py");
const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const HEALTHY_WITHIN_MS = 60_000;
const SUDOERS = "Defaults env_keep += DOCKER_HOST\nroot ALL=(ALL:ALL) NOPASSWD: ALL\n";

export interface Release {
  readonly version: string;
  /** The folder that an operator downloads. */
  readonly installer: string;
}

/** Builds a version of the product, and its images. @param plan the plan's file; default: plans/appsmith.yaml */
export async function buildRelease(
  { url, writeKeys }: Collector,
  version: string,
  plan?: string,
): Promise<Release> {
  const out = join(mkdtempSync(join(tmpdir(), "appsmith-release-")), version);
  const env = {
    TELEMETRY_URL: url,
    INSTALLER_KEY: writeKeys.installer,
    SERVER_KEY: writeKeys.server,
    CLIENT_KEY: writeKeys.client,
  };
  const planFlags = plan === undefined ? [] : ["--plan", plan];
  await run([process.execPath, BUILD, "--version", version, "--out", out, ...planFlags], { env });
  for (const part of ["server", "nginx"])
    await docker(
      "build",
      ...["--build-arg", `VERSION=${version}`, "--tag", `appsmith-${part}:${version}`, join(out, part)],
    );
  return { version, installer: join(out, "installer") };
}

export interface ActionPlan {
  readonly plugin: "postgres" | "rest";
  readonly url: string;
  /** A SQL statement, or a path. */
  readonly body: string;
  /** The names that a person gives. */
  readonly names: { readonly app: string; readonly datasource: string; readonly action: string };
}

export interface Outcome {
  readonly status: number;
  /** What a terminal would show. */
  readonly output: string;
}

export interface InstallOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What the person types at each prompt, in order: `[part of the prompt, answer]`. Default: no terminal. */
  readonly typed?: readonly (readonly [string, string])[];
  readonly parameters?: readonly string[];
  /** Shell commands that prepare the machine, in the mount namespace that the installer runs in. */
  readonly before?: string;
}

/** One machine's install. */
export class Product {
  /** The folder that the product is installed into. */
  readonly folder: string;
  readonly #collector: Collector;
  readonly #port: number;
  #cookie = "";

  constructor(collector: Collector, port: number) {
    this.#collector = collector;
    this.#port = port;
    this.folder = join(mkdtempSync(join(tmpdir(), "appsmith-")), this.project);
    mkdirSync(join(this.folder, "clock"), { recursive: true });
    writeFileSync(join(this.folder, "../sudoers"), SUDOERS, { mode: 0o440 });
    this.advance("+0");
    const dns = collector.nameServer;
    // What the rig adds to the product's file: the collector's network and name, and a clock that can be moved.
    writeFileSync(
      join(this.folder, "docker-compose.override.yml"),
      JSON.stringify({
        version: "3",
        services: {
          nginx: { dns },
          postgres: { dns },
          "appsmith-internal-server": {
            dns,
            networks: ["default", "collector"],
            volumes: ["./clock:/clock"],
            environment: {
              LD_PRELOAD: FAKETIME,
              FAKETIME_TIMESTAMP_FILE: "/clock/offset",
              FAKETIME_NO_CACHE: "1",
            },
          },
        },
        networks: { collector: { external: { name: NETWORK } } },
      }),
    );
  }

  /** The project's name in docker-compose, which is the name of its folder. */
  get project(): string {
    return `appsmith${this.#port}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Sets how far the server's clock is ahead. @param offset as libfaketime writes it, such as `+6h` */
  advance(offset: string): void {
    writeFileSync(join(this.folder, "clock/offset"), `${offset}\n`);
  }

  /** Sets the server's clock to so many minutes from now, then a little later, so that what is due is also sent. */
  async pass(minutes: number): Promise<void> {
    for (const more of [0, 1, 2]) {
      this.advance(`+${minutes + more}m`);
      // The server looks at its clock when it has something to do.
      for (let asks = 0; asks < 3; asks += 1) {
        await isAnswered(`${this.url}/api/v1/health`);
        await sleep(400);
      }
    }
  }

  /** Runs the release's installer, on a machine that can resolve the collector's name. */
  async install({ installer }: Release, options: InstallOptions = {}): Promise<Outcome> {
    const { environment = {}, typed, parameters = [], before = ":" } = options;
    const hosts = join(this.folder, "..", "hosts");
    writeFileSync(hosts, `127.0.0.1 localhost\n${this.#collector.address} ${HOST}\n`);
    const script = `mount --bind ${hosts} /etc/hosts && ${before} && exec sh ${installer}/install.sh "$@"`;
    const shell = ["unshare", "--mount", "sh", "-c", script, "sh", ...parameters, this.folder];
    const command = typed === undefined ? ["setsid", "--wait", ...shell] : ["python3", TERMINAL, ...shell];
    const { CI: _, ...own } = process.env;
    return new Promise((resolve, reject) => {
      const child = spawn(command[0] ?? "", command.slice(1), {
        env: { ...own, APPSMITH_LISTEN: `127.0.0.1:${this.#port}`, ...environment },
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => {
          output += String(chunk);
        });
      child.stdin.end(typed === undefined ? "" : JSON.stringify(typed));
      child.once("error", reject).once("close", (status) => {
        resolve(typed === undefined ? { status: status ?? -1, output } : (JSON.parse(output) as Outcome));
      });
    });
  }

  /** Runs a command line in the product's folder, as an operator types it. Here sudo keeps DOCKER_HOST. */
  command(line: string): Promise<string> {
    const script = `mount --bind ../sudoers /etc/sudoers && ${line}`;
    return run(["unshare", "--mount", "sh", "-c", script], { cwd: this.folder });
  }

  file(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** The names of all files in the telemetry folder, with their folders. */
  telemetryFiles(): readonly string[] {
    return readdirSync(join(this.folder, "telemetry"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(parentPath, name).slice(this.folder.length + 1));
  }

  /** The content of a JSON file of the telemetry folder. */
  state(name: string): Record<string, unknown> {
    return JSON.parse(this.file(`telemetry/${name}`)) as Record<string, unknown>;
  }

  /** Builds an app with one action. @returns the action's id */
  async addAction({ plugin, url, body, names }: ActionPlan): Promise<string> {
    const { id: application, page } = await this.api<{ id: string; page: string }>("/applications", {
      name: names.app,
    });
    const source = { application, name: names.datasource, plugin, url };
    const { id: datasource } = await this.api<{ id: string }>("/datasources", source);
    const action = { page, datasource, name: names.action, body };
    return (await this.api<{ id: string }>("/actions", action)).id;
  }

  /** Runs an action, as the editor does. */
  execute(action: string, ...parameters: readonly string[]): Promise<Execution> {
    return this.api(`/actions/${action}/execute`, { mode: "edit", parameters });
  }

  /** Calls the product's API, signed in once a call has set the session's cookie. @returns the answer's JSON */
  async api<Answer>(path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", cookie: this.#cookie },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    this.#cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? this.#cookie;
    return (await response.json()) as Answer;
  }

  /** Waits until the server and its database answer. */
  untilHealthy(): Promise<void> {
    return until(
      () => isAnswered(`${this.url}/api/v1/health`),
      HEALTHY_WITHIN_MS,
      async () => `The product does not answer: ${await this.command("docker-compose logs --tail 30")}`,
    );
  }

  /** Stops the containers and deletes everything. */
  async remove(): Promise<void> {
    await this.command("[ ! -e docker-compose.yml ] || docker-compose down --volumes --timeout 2").catch(
      () => {},
    );
    rmSync(join(this.folder, ".."), { recursive: true, force: true });
  }
}
