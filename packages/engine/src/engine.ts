/** Supervises the embedded engine: starts its process, restarts it with backoff, and closes it. */
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { pingSocket, spawnEngineProcess } from "./engine-process.ts";
import { EngineUnsupportedError } from "./errors.ts";
import { type ChildOptions, type CloseCommand, EXIT_OPEN_FAILED } from "./protocol.ts";
import { placeSocket, type SocketPlace } from "./socket-place.ts";
import { engineSupport } from "./support.ts";

export interface EngineOptions extends Partial<EngineTimes> {
  /**
   * The engine's own folder, for chDB's files, the socket and the configuration. It is created with mode
   * 0700, and its mode is set to 0700 at each start.
   */
  dataDir: string;
  /**
   * The child's niceness, 0 to 19, unless it has inherited a higher one.
   * @default 10, because ingest has priority
   */
  niceness?: number;
  /**
   * Called with each line that the child prints, with why it ended, and with when it starts again.
   * @default the lines are discarded
   */
  log?: (line: string) => void;
}

export interface EngineTimes {
  /** How long `ready()` waits before it rejects. @default 30000 */
  readyTimeoutMs: number;
  /** The pause before the first restart. It doubles with each restart that follows. @default 100 */
  minBackoffMs: number;
  /** The longest pause before a restart. @default 5000 */
  maxBackoffMs: number;
  /**
   * The longest pause during the first attempts while the folder cannot be opened. Usually the process that
   * holds the folder is about to end.
   * @default 500
   */
  maxLockedBackoffMs: number;
  /** A child that was ready for this long resets the backoff. @default 10000 */
  healthyMs: number;
  /** How long `close()` lets requests finish. @default 2000 */
  drainMs: number;
  /** How long `close()` waits for the child to end before it kills the child. @default 4000 */
  closeTimeoutMs: number;
}

export interface EngineStatus {
  /**
   * `starting`: the engine does not answer yet. `waiting`: the child has ended and will be restarted after a
   * pause.
   */
  state: "starting" | "ready" | "waiting" | "stopped";
  pid?: number;
  restarts: number;
  /** Why the last child ended. */
  lastError?: string;
}

export interface Engine {
  /** Path of the socket, which serves ClickHouse's HTTP interface. It stays the same across restarts. */
  readonly socketPath: string;
  status(): EngineStatus;
  /**
   * Resolves once a child answers, at once if one does already. Rejects after `readyTimeoutMs`, or when the
   * engine is closed.
   */
  ready(): Promise<void>;
  /** Lets requests finish for up to `drainMs`, then ends the child and removes the socket. Never rejects. */
  close(): Promise<void>;
}

/**
 * Starts the embedded ClickHouse in its own process and keeps it running. Resolves when the process has been
 * started, NOT once it answers, because the collector accepts messages before the engine is ready.
 * @throws EngineUnsupportedError if this machine cannot run the engine; a file system error if dataDir cannot
 * be created
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const support = engineSupport();
  if (!support.supported) throw new EngineUnsupportedError(support.platform, support.why);
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  const place = placeSocket(dataDir);
  const { niceness = 10, log = () => {} } = options;
  const times = { ...DEFAULT_TIMES, ...options };
  return new SupervisedEngine({ dataDir, socketPath: place.path, niceness }, place, times, log);
}

const DEFAULT_TIMES: EngineTimes = {
  readyTimeoutMs: 30_000,
  minBackoffMs: 100,
  maxBackoffMs: 5_000,
  maxLockedBackoffMs: 500,
  healthyMs: 10_000,
  drainMs: 2_000,
  closeTimeoutMs: 4_000,
};

const PING_TIMEOUT_MS = 2_000;

/**
 * After this many failures in a row, the process that holds the folder is no longer expected to end soon, and
 * pauses may grow to `maxBackoffMs`.
 */
const QUICK_OPEN_ATTEMPTS = 20;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

class SupervisedEngine implements Engine {
  readonly #options: ChildOptions;
  readonly #place: SocketPlace;
  readonly #times: EngineTimes;
  readonly #log: (line: string) => void;
  readonly #waiters = new Set<Waiter>();
  #state: EngineStatus["state"] = "starting";
  #child: ChildProcess | undefined;
  #childGone: Promise<void> = Promise.resolve();
  #restarts = 0;
  #lastError: string | undefined;
  #failures = 0;
  #readySinceMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions, place: SocketPlace, times: EngineTimes, log: (line: string) => void) {
    this.#options = options;
    this.#place = place;
    this.#times = times;
    this.#log = log;
    this.#start();
  }

  get socketPath(): string {
    return this.#place.path;
  }

  status(): EngineStatus {
    const pid = this.#child?.pid;
    return {
      state: this.#state,
      restarts: this.#restarts,
      ...(pid !== undefined && { pid }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  ready(): Promise<void> {
    if (this.#state === "ready") return Promise.resolve();
    if (this.#state === "stopped") return Promise.reject(new Error("the engine is closed"));
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        act();
      };
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => waiter.reject(this.#notReady()), this.#times.readyTimeoutMs);
      this.#waiters.add(waiter);
    });
  }

  async close(): Promise<void> {
    const wasReady = this.#state === "ready";
    this.#state = "stopped";
    clearTimeout(this.#restartTimer);
    for (const waiter of this.#waiters) waiter.reject(new Error("the engine is closed"));
    const child = this.#child;
    if (child !== undefined) {
      // A child that is not ready has no requests to finish.
      if (wasReady) this.#tellClose(child);
      else child.kill("SIGKILL");
      const killer = setTimeout(() => child.kill("SIGKILL"), this.#times.closeTimeoutMs);
      await this.#childGone;
      clearTimeout(killer);
    }
    this.#place.remove();
  }

  #tellClose(child: ChildProcess): void {
    const command: CloseCommand = { kind: "close", drainMs: this.#times.drainMs };
    // Fails only if the child is already ending, which is the desired result.
    child.send(command, () => {});
  }

  #notReady(): Error {
    const seconds = this.#times.readyTimeoutMs / 1000;
    return new Error(
      `the engine did not answer within ${seconds} s${this.#lastError ? `: ${this.#lastError}` : ""}`,
    );
  }

  #start(): void {
    this.#state = "starting";
    let gone = () => {};
    this.#childGone = new Promise((resolve) => {
      gone = resolve;
    });
    const child = spawnEngineProcess(this.#options, {
      line: (line) => this.#log(line),
      listening: () => void this.#confirm(child),
      gone: (exitCode, how) => {
        this.#child = undefined;
        gone();
        this.#onGone(exitCode, how);
      },
    });
    this.#child = child;
  }

  async #confirm(child: ChildProcess): Promise<void> {
    const answers = await pingSocket(this.socketPath, PING_TIMEOUT_MS);
    if (this.#child !== child || this.#state !== "starting") return;
    if (!answers) {
      child.kill("SIGKILL");
      return;
    }
    this.#state = "ready";
    this.#readySinceMs = Date.now();
    for (const waiter of this.#waiters) waiter.resolve();
  }

  #onGone(exitCode: number | null, how: string): void {
    if (this.#state === "stopped") return;
    const wasHealthy = this.#state === "ready" && Date.now() - this.#readySinceMs >= this.#times.healthyMs;
    this.#state = "waiting";
    this.#lastError = how;
    this.#failures = wasHealthy ? 0 : this.#failures + 1;
    const { minBackoffMs, maxBackoffMs, maxLockedBackoffMs } = this.#times;
    const opensSoon = exitCode === EXIT_OPEN_FAILED && this.#failures <= QUICK_OPEN_ATTEMPTS;
    const ceilingMs = opensSoon ? maxLockedBackoffMs : maxBackoffMs;
    const pauseMs = Math.min(ceilingMs, minBackoffMs * 2 ** Math.min(Math.max(0, this.#failures - 1), 20));
    this.#log(`${how}; starting it again in ${pauseMs} ms`);
    this.#restartTimer = setTimeout(() => this.#restart(), pauseMs);
  }

  /**
   * Starts the child again. Some failures to start a process, such as ENOMEM, are thrown instead of emitted.
   */
  #restart(): void {
    this.#restarts++;
    try {
      this.#start();
    } catch (error) {
      this.#onGone(null, `the engine's process did not start: ${String(error)}`);
    }
  }
}
