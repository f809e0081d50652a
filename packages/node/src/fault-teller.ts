const DAY_MS = 24 * 60 * 60_000;

/** Tells of something. @param kind lines of one kind count as the same. @default the line */
export type FaultTeller = (line: string, kind?: string) => void;

/**
 * Tells a product's `debug` of faults, each kind at most once a day.
 * @param debug must not throw
 * @param monotonic milliseconds, see `Clock`
 */
export function createFaultTeller(debug: (line: string) => void, monotonic: () => number): FaultTeller {
  const toldAtMs = new Map<string, number>();
  return (line, kind = line) => {
    const nowMs = monotonic();
    if (nowMs - (toldAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < DAY_MS) return;
    toldAtMs.set(kind, nowMs);
    debug(line);
  };
}
