const DAY_MS = 24 * 60 * 60_000;

/**
 * Tells a product's `debug` of faults, each at most once a day.
 * @param debug must not throw
 * @param monotonic milliseconds, see `Clock`
 */
export function createFaultTeller(
  debug: (line: string) => void,
  monotonic: () => number,
): (line: string) => void {
  const toldAtMs = new Map<string, number>();
  return (line) => {
    const nowMs = monotonic();
    if (nowMs - (toldAtMs.get(line) ?? Number.NEGATIVE_INFINITY) < DAY_MS) return;
    toldAtMs.set(line, nowMs);
    debug(line);
  };
}
