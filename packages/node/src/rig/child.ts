/** For tests: runs a product that uses the built SDK in a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll } from "vitest";
import type { TelemetryOptions } from "../settings.ts";
import { APPSMITH, SWITCH_OFFERED } from "./in-process.ts";
import type { Recorder } from "./recorder.ts";

/** The name of the child's numbered events. The number is in `properties.timeElapsed`. */
export const EVENT = "execute_ACTION_TRIGGERED";
/** How a child ends if it exits normally and prints nothing. */
export const QUIET: Ended = { code: 0, signal: null, stdout: "", stderr: "" };

const WAIT_MS = 40_000;
/** The time from which all children's fast clocks count, so that they agree. */
const ZERO_MS = Date.now();
const root = mkdtempSync(join(tmpdir(), "candor-rig-"));
const planFile = join(root, "plan.json");
writeFileSync(planFile, JSON.stringify(APPSMITH));
const running = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of running) killGroup(child);
  while (running.size > 0) await sleep(5);
  rmSync(root, { recursive: true, force: true });
});

export interface ChildOptions {
  readonly stateDir: string;
  readonly host: string;
  /**
   * The source of a module that can use `telemetry`; `EVENT`; `track(from, to)`; `sleep(ms)`; `tell(value)`,
   * which sends a value to the test; `hear(word)`, which resolves once the test has said the word;
   * `jump(ms)`, which sets the clock forward and exists only with `speed`; `plan`; `options`.
   */
  readonly program: string;
  /** Code to run before telemetry is opened. */
  readonly before?: string;
  /** Whether the program runs without the SDK, which is then not even imported. */
  readonly isWithout?: boolean;
  /** The child's whole environment. Default: telemetry is on. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * How many times faster than real time the child's clock and timers run. Some times remain real, such as
   * the time limit of a request. Default: 1.
   */
  readonly speed?: number;
  /** Further options of `createTelemetry`. */
  readonly options?: Partial<Pick<TelemetryOptions, "sendEveryMs" | "maxOutboxBytes" | "writeKey">>;
  /** The command that the child runs under, such as strace. */
  readonly under?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly isRunning: () => boolean;
  /** All values that the child has passed to `tell`. */
  readonly told: readonly unknown[];
  /** Lets the child's `hear(word)` resolve. */
  say(word: string): void;
  /** Resolves once the child has told this value. Rejects if the child ends first, or after 40 s. */
  tells(value: unknown): Promise<void>;
  readonly ended: Promise<Ended>;
  /** Sends SIGKILL. Resolves when the process has ended. */
  kill(): Promise<void>;
}

/** Creates a folder that is deleted after the tests of the file. */
export function makeRigFolder(): string {
  return mkdtempSync(join(root, "folder-"));
}

/** Starts a product in a child process that uses the SDK's `dist`. */
export function startChild(options: ChildOptions): Child {
  const { under = [], nodeFlags = [], env = SWITCH_OFFERED } = options;
  const module = `${toHead(options)}\n${options.program}`;
  const [command = "", ...args] = [
    ...under,
    process.execPath,
    ...nodeFlags,
    "--input-type=module",
    "-e",
    module,
  ];
  const child = spawn(command, args, { detached: true, env, stdio: ["pipe", "pipe", "pipe", "pipe"] });
  running.add(child);
  const texts = ["", "", "", ""];
  for (const fd of [1, 2, 3]) {
    (child.stdio[fd] as Readable).setEncoding("utf8").on("data", (text: string) => {
      texts[fd] += text;
    });
  }
  child.stdin?.on("error", () => {}); // the child may end without reading its input
  const ended = once(child, "close").then(([code, signal]): Ended => {
    running.delete(child);
    return { code, signal, stdout: texts[1] ?? "", stderr: texts[2] ?? "" };
  });
  const isRunning = (): boolean => running.has(child);
  const toldLines = (): readonly string[] => (texts[3] ?? "").split("\n").slice(0, -1);
  return {
    isRunning,
    get told() {
      return toldLines().map((line): unknown => JSON.parse(line));
    },
    say: (word) => void child.stdin?.write(`${word}\n`),
    tells: (value) =>
      eventually(() => {
        const isTold = toldLines().includes(JSON.stringify(value));
        if (!isTold && !isRunning())
          throw new Error(`it ended without telling ${value}: ${texts.join("\n")}`);
        return isTold;
      }),
    ended,
    kill: async () => {
      killGroup(child);
      await ended;
    },
  };
}

/** Polls until `look` returns true. Rejects after 40 s, or if `look` throws. */
export async function eventually(look: () => boolean): Promise<void> {
  for (const until = Date.now() + WAIT_MS; !look(); await sleep(10)) {
    if (Date.now() > until) throw new Error(`it did not come to pass within ${WAIT_MS} ms: ${look}`);
  }
}

/**
 * The numbers of the events that the recorder kept, in order. Counts each messageId once, as the collector
 * does.
 */
export function numbersKept({ kept }: Pick<Recorder, "kept">): readonly number[] {
  const messages = new Map(kept.map((message) => [message.messageId, message]));
  return [...messages.values()]
    .filter(({ event }) => event === EVENT)
    .map(({ properties }) => Number((properties as { readonly timeElapsed: number }).timeElapsed))
    .sort((one, other) => one - other);
}

/** The integers from `from` up to, but not including, `to`. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** The current content of delivery.json; empty if there is none. */
export function readDelivery(stateDir: string): { readonly [key: string]: unknown } {
  try {
    return JSON.parse(readFileSync(join(stateDir, "delivery.json"), "utf8"));
  } catch {
    return {};
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}

function urlOf(module: string): string {
  return JSON.stringify(new URL(`../../dist/${module}`, import.meta.url).href);
}

function toHead({ stateDir, host, speed, options, before = "", isWithout = false }: ChildOptions): string {
  const given = JSON.stringify({
    source: "server",
    writeKey: "server_key",
    host,
    stateDir,
    sendEveryMs: 50,
    ...options,
  });
  return `
    import { readFileSync, writeSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    const EVENT = ${JSON.stringify(EVENT)};
    const plan = JSON.parse(readFileSync(${JSON.stringify(planFile)}, "utf8"));
    const options = { plan, ...${given} };
    const tell = (value) => void writeSync(3, JSON.stringify(value) + "\\n");
    const track = (from, to) => {
      for (let n = from; n < to; n++) telemetry.track(EVENT, { timeElapsed: n, pluginName: "PostgreSQL" });
    };
    let heard;
    const hear = async (word) => {
      if (heard === undefined) process.stdin.setEncoding("utf8").on("data", (text) => { heard += text; }).unref();
      heard ??= "\\n";
      while (!heard.includes("\\n" + word + "\\n")) await sleep(5);
    };
    ${before}
    ${isWithout ? "" : speed === undefined ? PUBLIC : toHurried(speed)}`;
}

const PUBLIC = `
    import { createTelemetry } from ${urlOf("index.js")};
    const telemetry = createTelemetry(options);`;

/** Opens telemetry with a faster clock, through internal modules. */
function toHurried(speed: number): string {
  return `
    import { Core } from ${urlOf("core.js")};
    import { readSettings } from ${urlOf("settings.js")};
    import { createFacade } from ${urlOf("create-telemetry.js")};
    let offsetMs = 0;
    const jump = (ms) => { offsetMs += ms; };
    const clock = {
      now: () => ${ZERO_MS} + (Date.now() - ${ZERO_MS}) * ${speed} + offsetMs,
      monotonic: () => performance.now() * ${speed},
      sinceBoot: () => performance.now() * ${speed},
      bootId: () => undefined,
      later: (afterMs, task) => {
        const timer = setTimeout(task, Math.min(Math.max(afterMs / ${speed}, 0), 2147483647)).unref();
        return () => clearTimeout(timer);
      },
    };
    const core = new Core({ settings: readSettings(options).settings, clock, random: Math.random, print: console.error });
    const telemetry = createFacade(core);`;
}
