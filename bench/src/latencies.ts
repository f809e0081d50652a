/** Every latency of a run, kept exactly: buckets would round the very ratio (p99 against the baseline's) that is to be read off. */
export type Latencies = {
  record(ms: number): void;
  count(): number;
  /** Nearest rank: the smallest recorded value that at least this share (0 to 1) of all values do not exceed. 0 when empty. */
  percentiles(shares: readonly number[]): number[];
};

/** @param capacity values before the array is doubled; choose it so that a run does not double it. */
export function recordLatencies(capacity = 1 << 18): Latencies {
  let values = new Float64Array(capacity);
  let used = 0;
  return {
    record(ms) {
      if (used === values.length) {
        const doubled = new Float64Array(values.length * 2);
        doubled.set(values);
        values = doubled;
      }
      values[used++] = ms;
    },
    count: () => used,
    percentiles(shares) {
      const sorted = values.slice(0, used).sort();
      return shares.map((share) => sorted[Math.max(0, Math.ceil(share * used) - 1)] ?? 0);
    },
  };
}

/** The middle value; of an even count the mean of the middle two; NaN when empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
