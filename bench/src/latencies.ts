/**
 * Records every latency of a run exactly, because buckets would distort the ratio of p99 to the baseline's
 * p99.
 */

export type Latencies = {
  record(ms: number): void;
  count(): number;
  /**
   * For each share (0 to 1): the smallest value that at least this share of all values does not exceed. 0 if
   * empty.
   */
  percentiles(shares: readonly number[]): number[];
};

/**
 * Creates an empty record.
 * @param capacity how many values fit before the record has to grow. Choose it large enough for a whole run.
 * Default: 2^18.
 */
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
