import type { EventEmitter } from "node:events";

/**
 * Signals that follow the first this closely are the same Ctrl-C: the terminal sends it to the whole process group,
 * and npm, which is in it, passes it on once more.
 */
const ECHO_MS = 500;
/** What shells report for a process that SIGINT ended. */
const INTERRUPTED = 130;

export interface StopSignalOptions {
  readonly signals?: Pick<EventEmitter, "on">;
  readonly now?: () => number;
  readonly exit?: (code: number) => void;
}

/** Resolves at the first SIGINT or SIGTERM. A second one, when the first takes too long for somebody, ends the process at once. */
export function awaitStop(options: StopSignalOptions = {}): Promise<void> {
  const { signals = process, now = Date.now, exit = (code) => process.exit(code) } = options;
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (): void => {
      if (firstAtMs === undefined) {
        firstAtMs = now();
        resolve();
      } else if (now() - firstAtMs > ECHO_MS) exit(INTERRUPTED);
    };
    signals.on("SIGINT", onSignal);
    signals.on("SIGTERM", onSignal);
  });
}
