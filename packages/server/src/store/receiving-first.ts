/** Says how long what may wait rests while the collector is busy receiving (docs/decisions/0011-receiving-first.md). */

/** The share of the time that the event loop may be busy without anything having to rest. */
export const IDLE_ENOUGH = 0.5;

/**
 * Returns how long to rest after some work: not at all while the event loop is busy for at most half of the time, and
 * `most` times as long as the work took if it is never idle.
 * @param utilization of this process's event loop, 0 to 1
 */
export function toRestMs(tookMs: number, utilization: number, most: number): number {
  return tookMs * most * Math.max(0, (utilization - IDLE_ENOUGH) / (1 - IDLE_ENOUGH));
}
