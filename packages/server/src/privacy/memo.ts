/** What a memo may hold. Clients choose the keys, so all of it is bounded. */
export interface MemoLimits {
  /** When there are more, all are forgotten. */
  readonly entries: number;
  /** In UTF-16 units; longer ones are computed each time. */
  readonly keyLength: number;
  /** How long a value is remembered at most: keys are what clients sent, and are not kept for their own sake. */
  readonly ageMs: number;
}

/** The same function, with its recent results remembered. Its timer keeps no process alive. */
export function memoize(compute: (key: string) => string, limits: MemoLimits): (key: string) => string {
  const results = new Map<string, string>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = compute(key);
    if (key.length > limits.keyLength) return result;
    if (results.size >= limits.entries) results.clear();
    if (results.size === 0) setTimeout(() => results.clear(), limits.ageMs).unref();
    results.set(key, result);
    return result;
  };
}
