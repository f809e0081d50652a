/** Limits concurrent work: a semaphore and a single flight. */
import { LinkedList } from "./linked-list.ts";

export interface SemaphoreOptions {
  readonly permits: number;
  readonly maxWaiting: number;
}

/** Runs at most `permits` tasks at the same time. Up to `maxWaiting` further tasks wait in order. */
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
   * Runs the task as soon as a permit is free.
   * @param signal aborts the wait; the task then never runs, and the promise rejects with the signal's reason
   * @returns undefined, without calling the task, if too many are waiting already
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

  /**
   * Hands the permit to the first task in the queue. Freeing the permit first would let a new caller overtake
   * the queue.
   */
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
  /**
   * For how long after a run has started `run()` returns that run's result, even a failure. Default: 0, only
   * while the run is in progress.
   */
  readonly keepMs?: number;
  /** A monotonic clock, in milliseconds. Default: `performance.now()`. */
  readonly clockMs?: () => number;
}

/** Runs a task for several callers, but only once at a time. At most one further run is queued. */
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

  /**
   * Returns the result of the run that is in progress or that started less than `keepMs` ago. If there is
   * none, starts a run.
   */
  run(): Promise<Result> {
    const isKept = this.#clockMs() - this.#startedAtMs < this.#keepMs;
    return isKept && this.#last !== undefined ? this.#last : this.#join();
  }

  /**
   * Returns the result of a run that starts after this call, for a task that reads data that may have
   * changed.
   */
  runAfresh(): Promise<Result> {
    if (!this.#isRunning || this.#last === undefined) return this.#start();
    const startNext = (): Promise<Result> => {
      this.#next = undefined;
      return this.#join(); // another caller that was notified first may already have started the run
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
