/** Owns the latencies of a run, kept exactly: buckets would round the ratio of p99 to the baseline's. */
export type Latencies = {
  record(ms: number): void;
  count(): number;
  /** By nearest rank: the smallest value that this share (0 to 1) of all values do not exceed. 0 if empty. */
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

/** The middle value, or the mean of the middle two. NaN if empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
