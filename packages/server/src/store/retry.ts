/** Repeats what needs the store until the store answers. */
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 5000;

/**
 * Runs a task, and again 5 s after each failure, until it succeeds or `signal` is aborted. The pause does not keep
 * the process alive.
 * @param onFailure called with the error of each attempt that failed
 */
export async function retryUntilDone(
  task: () => Promise<void>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void = () => {},
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await task();
    } catch (error) {
      onFailure(error);
      await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
