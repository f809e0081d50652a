/** For tests: the product as an operator installs, uses and upgrades it. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Execution } from "../server/src/plugins.ts";
import type { Circumstances, Machine, Place, Release } from "./machine.ts";
import { isAnswered, until } from "./until.ts";

const TERMINAL = fileURLToPath(new URL("../../../packages/installer/src/rig/terminal.py", import.meta.url));
const HEALTHY_WITHIN_MS = 60_000;

export interface ActionPlan {
  readonly plugin: "postgres" | "rest";
  readonly url: string;
  /** The action's SQL statement, or its path for `rest`. */
  readonly body: string;
  /** The names that the person gives to the app, the datasource and the action. */
  readonly names: { readonly app: string; readonly datasource: string; readonly action: string };
}

export interface Outcome {
  readonly status: number;
  /** What a terminal would show. */
  readonly output: string;
}

export interface InstallOptions extends Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  /** What the person types at each prompt, in order: `[part of the prompt, answer]`. Default: no terminal. */
  readonly typed?: readonly (readonly [string, string])[];
  readonly parameters?: readonly string[];
}

/** Prepares a machine for one install. */
export async function openProduct(machine: Machine): Promise<Product> {
  return new Product(machine, await findPort());
}

/** One install on a machine. */
export class Product implements Place {
  /** The folder into which the product is installed. */
  readonly folder: string;
  readonly port: number;
  readonly #machine: Machine;
  #cookie = "";

  constructor(machine: Machine, port: number) {
    this.#machine = machine;
    this.port = port;
    // The folder's name is unique, because docker-compose names a project after its folder.
    this.folder = join(mkdtempSync(join(machine.folder, "product-")), `appsmith${port}`);
    mkdirSync(join(this.folder, "clock"), { recursive: true });
    this.advance(0);
    machine.prepare(this);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Sets how far the server's clock is ahead of the real time. */
  advance(minutes: number): void {
    this.#machine.advance(this, minutes);
  }

  /**
   * Sets the server's clock to `minutes` ahead of the real time, then to one and to two minutes more, so that
   * what becomes due is also sent.
   */
  async pass(minutes: number): Promise<void> {
    for (const more of [0, 1, 2]) {
      this.advance(minutes + more);
      // Requests make the server read its clock.
      for (let asks = 0; asks < 3; asks += 1) {
        await isAnswered(`${this.url}/api/v1/health`);
        await sleep(this.#machine.settleMs);
      }
    }
  }

  /** Runs the release's installer. */
  async install(release: Release, options: InstallOptions = {}): Promise<Outcome> {
    const { environment = {}, typed, parameters = [], ...circumstances } = options;
    const installer = this.#machine.toInstall(this, release, circumstances);
    const front = typed === undefined ? ["setsid", "--wait"] : ["python3", TERMINAL];
    const [program = "", ...rest] = [...front, ...installer, ...parameters, this.folder];
    const listen = { APPSMITH_LISTEN: `127.0.0.1:${this.port}` };
    return new Promise((resolve, reject) => {
      const child = spawn(program, rest, {
        env: { ...this.#machine.environment, ...listen, ...environment },
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

  /** Runs a command line in the product's folder, as an operator types it. */
  command(line: string): Promise<string> {
    return this.#machine.command(this, line);
  }

  file(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** The paths of all files in the telemetry folder, relative to the product's folder. */
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

  /** Builds an app whose action fetches the product's own start page. @returns the action's id */
  addPlainAction(): Promise<string> {
    const names = { app: "App", datasource: "Api", action: "Get" };
    return this.addAction({ plugin: "rest", url: this.#machine.frontUrl(this), body: "/", names });
  }

  /** Runs an action, as the editor does. */
  execute(action: string, ...parameters: readonly string[]): Promise<Execution> {
    return this.api(`/actions/${action}/execute`, { mode: "edit", parameters });
  }

  /**
   * Calls the product's API. Sends the session cookie that an earlier call, such as a login, has set.
   * @returns the parsed answer
   */
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

  /** Waits until the server and its database answer. Rejects after HEALTHY_WITHIN_MS. */
  untilHealthy(): Promise<void> {
    return until(
      () => isAnswered(`${this.url}/api/v1/health`),
      HEALTHY_WITHIN_MS,
      async () => `The product does not answer: ${await this.command("docker-compose logs --tail 30")}`,
    );
  }

  /** Stops the product, and deletes its data and its folder. */
  async remove(): Promise<void> {
    await this.command("[ ! -e docker-compose.yml ] || docker-compose down --volumes --timeout 2").catch(
      () => {},
    );
    rmSync(join(this.folder, ".."), { recursive: true, force: true });
  }
}

function findPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
