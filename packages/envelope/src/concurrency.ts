/** Owns the tools that bound work which runs at the same time: a semaphore and a single flight. */
import { LinkedList } from "./linked-list.ts";

export interface SemaphoreOptions {
  /** Tasks that run at a time. */
  readonly permits: number;
  /** Tasks that may wait for a permit. */
  readonly maxWaiting: number;
}

/** Runs at most a given number of tasks at a time. The others wait in order, and no more than may. */
export class Semaphore {
  readonly #maxWaiting: number;
  readonly #waiting = new LinkedList<() => void>();
  #free: number;

  constructor({ permits, maxWaiting }: SemaphoreOptions) {
    this.#free = permits;
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs the task once there is a permit, at once when there is one now.
   * @param signal ends the waiting; the task then never runs, and its promise rejects with the signal's reason
   * @returns undefined, without calling the task, when too many wait already
   */
  run<Result>(task: () => Promise<Result>, signal?: AbortSignal): Promise<Result> | undefined {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#runWithPermit(task);
    }
    if (this.#waiting.size >= this.#maxWaiting) return undefined;
    return this.#permit(signal).then(() => this.#runWithPermit(task));
  }

  #permit(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.remove(place);
        reject(signal?.reason);
      };
      const place = this.#waiting.push(() => {
        signal?.removeEventListener("abort", leave);
        resolve();
      });
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  async #runWithPermit<Result>(task: () => Promise<Result>): Promise<Result> {
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** Hands the permit to the first that waits. Were it freed and taken again, somebody could slip in between. */
  #release(): void {
    for (const place of this.#waiting) {
      this.#waiting.remove(place);
      place.item();
      return;
    }
    this.#free += 1;
  }
}

export interface SingleFlightOptions {
  /** `run` gives the last result again until this long after its start, also a failure. Default: 0, never. */
  readonly keepMs?: number;
  /** Any steady clock. */
  readonly clockMs?: () => number;
}

/** Runs one task at most once at a time, for all who ask for it. At most one more run waits. */
export class SingleFlight<Result> {
  readonly #task: () => Promise<Result>;
  readonly #keepMs: number;
  readonly #clockMs: () => number;
  #last: Promise<Result> | undefined;
  #startedAtMs = 0;
  #isRunning = false;
  #next: Promise<Result> | undefined;

  constructor(
    task: () => Promise<Result>,
    { keepMs = 0, clockMs = () => performance.now() }: SingleFlightOptions = {},
  ) {
    this.#task = task;
    this.#keepMs = keepMs;
    this.#clockMs = clockMs;
  }

  /** The result of the run that is under way, else of a new one. */
  run(): Promise<Result> {
    const isKept = this.#clockMs() - this.#startedAtMs < this.#keepMs;
    return isKept && this.#last !== undefined ? this.#last : this.#join();
  }

  /** The result of a run that starts after this call, for a task that reads what may have changed since. */
  runAfresh(): Promise<Result> {
    if (!this.#isRunning || this.#last === undefined) return this.#start();
    const startNext = (): Promise<Result> => {
      this.#next = undefined;
      return this.#join(); // somebody who was told of the end first may have started it
    };
    this.#next ??= this.#last.then(startNext, startNext);
    return this.#next;
  }

  #join(): Promise<Result> {
    return this.#isRunning && this.#last !== undefined ? this.#last : this.#start();
  }

  #start(): Promise<Result> {
    this.#isRunning = true;
    this.#startedAtMs = this.#clockMs();
    this.#last = this.#runTask();
    return this.#last;
  }

  async #runTask(): Promise<Result> {
    try {
      return await this.#task();
    } finally {
      this.#isRunning = false;
    }
  }
}
