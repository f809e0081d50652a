import { fault } from "./errors.ts";

/** Runs at most a given number of jobs at once; the others wait in the order of their coming. */
export interface Lane {
  /**
   * @param signal takes a job that still waits out of the line
   * @throws ClickHouseFault TOO_MANY_SIMULTANEOUS_QUERIES when the line is full, QUERY_WAS_CANCELLED when aborted in it
   */
  run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createLane(limits: { maxRunning: number; maxWaiting: number }): Lane {
  let running = 0;
  const waiting: (() => void)[] = [];

  const enter = async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) throw fault.cancelled();
    if (running < limits.maxRunning) {
      running++;
      return;
    }
    if (waiting.length >= limits.maxWaiting) throw fault.tooManyQueries(waiting.length);
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(admit), 1);
        reject(fault.cancelled());
      };
      const admit = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      waiting.push(admit);
      signal.addEventListener("abort", leave, { once: true });
    });
  };
  // A place is handed on rather than freed and taken again, so that nobody slips in between.
  const exit = () => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };

  return {
    async run(job, signal) {
      await enter(signal);
      try {
        return await job();
      } finally {
        exit();
      }
    },
  };
}
