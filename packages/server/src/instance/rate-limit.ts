/** So many at once, and after them one more each time that `everyMs` has passed. */
export interface Allowance {
  readonly burst: number;
  readonly everyMs: number;
}

export interface RateLimitOptions {
  readonly peer: Allowance;
  /** Of all peers together. */
  readonly total: Allowance;
  /** More peers than these are not remembered: who asked the longest ago begins anew. `total` holds for them too. */
  readonly maxPeers: number;
  /** Any steady clock. */
  readonly clockMs?: () => number;
}

/**
 * Says whether a peer may do once more what is limited, and counts it then. What is refused counts for nothing. For each
 * peer one number is kept: when all that it has taken will have come back (the generic cell rate algorithm).
 */
export function createRateLimit({
  peer,
  total,
  maxPeers,
  clockMs = () => performance.now(),
}: RateLimitOptions): (peerName: string) => boolean {
  const wholeAgainMs = new Map<string, number>();
  let totalAgainMs = Number.NEGATIVE_INFINITY;
  return (peerName) => {
    const nowMs = clockMs();
    const ofPeer = taken(wholeAgainMs.get(peerName), peer, nowMs);
    const ofAll = taken(totalAgainMs, total, nowMs);
    if (ofPeer === undefined || ofAll === undefined) return false;
    totalAgainMs = ofAll;
    wholeAgainMs.delete(peerName); // so that the map is in the order of asking
    wholeAgainMs.set(peerName, ofPeer);
    const [oldest] = wholeAgainMs.size > maxPeers ? wholeAgainMs.keys() : [];
    if (oldest !== undefined) wholeAgainMs.delete(oldest);
    return true;
  };
}

/** When the allowance is whole again once one more is taken; undefined when none is left. */
function taken(
  againMs = Number.NEGATIVE_INFINITY,
  { burst, everyMs }: Allowance,
  nowMs: number,
): number | undefined {
  const thenMs = Math.max(againMs, nowMs) + everyMs;
  return thenMs - nowMs > burst * everyMs ? undefined : thenMs;
}
