/** Limits the messages that a gateway takes a second: of all browsers together, and of each a part of that. */

import { applyAddressPolicy } from "@candor/plan/runtime";

/** No browser gets more than this part of what is taken a second. */
const CLIENT_SHARE = 0.25;
/** While a large batch is being paid off, this part of the rate is kept for the other browsers. */
const SHARE_OF_OTHERS = 0.25;
/** Clients that are remembered; beyond that, the one that was seen first is forgotten. */
const MAX_CLIENTS = 1000;
/** More than this many seconds' worth is never owed. */
const MAX_OWED_S = 60;

/** How much may pass. */
interface TokenBucket {
  /** Seconds until something may pass again; 0: now. */
  readonly waitS: () => number;
  /**
   * May take more than there is, because a batch is taken whole or not at all.
   * @param atOnce how much is taken now; the rest is owed, and paid off while others are served. @default all
   */
  readonly take: (tokens: number, atOnce?: number) => void;
}

/** @param monotonicMs a clock that never jumps */
function createTokenBucket(perSecond: number, monotonicMs: () => number): TokenBucket {
  let tokens = perSecond;
  let owed = 0;
  let atMs = monotonicMs();
  const refill = (): void => {
    const nowMs = monotonicMs();
    const gained = ((nowMs - atMs) * perSecond) / 1000;
    const paid = Math.min(owed, gained * (1 - SHARE_OF_OTHERS));
    owed -= paid;
    tokens = Math.min(perSecond, tokens + gained - paid);
    atMs = nowMs;
  };
  return {
    waitS: () => {
      refill();
      return tokens >= 1 ? 0 : (1 - tokens) / perSecond;
    },
    take: (taken, atOnce = taken) => {
      refill();
      const now = Math.min(taken, atOnce);
      tokens -= now;
      owed = Math.min(owed + taken - now, perSecond * MAX_OWED_S);
    },
  };
}

/** The buckets of all browsers and of each. */
export interface Rates {
  /** Seconds until this browser may send again; 0: now. @param address undefined: all unknown addresses share one bucket */
  readonly waitS: (address: string | undefined) => number;
  readonly take: (address: string | undefined, messages: number) => void;
}

/** @param perSecond messages of all browsers together */
export function createRates(perSecond: number, monotonicMs: () => number): Rates {
  const all = createTokenBucket(perSecond, monotonicMs);
  const share = Math.max(1, perSecond * CLIENT_SHARE);
  const clients = new Map<string, TokenBucket>();
  const bucketOf = (address: string | undefined): TokenBucket => {
    const key = toClient(address);
    const known = clients.get(key);
    if (known !== undefined) return known;
    const [first] = clients.keys();
    if (clients.size >= MAX_CLIENTS && first !== undefined) clients.delete(first);
    const bucket = createTokenBucket(share, monotonicMs);
    clients.set(key, bucket);
    return bucket;
  };
  return {
    waitS: (address) => Math.max(all.waitS(), bucketOf(address).waitS()),
    take: (address, messages) => {
      bucketOf(address).take(messages);
      all.take(messages, share);
    },
  };
}

/** Counts an IPv6 network as one client: a machine can use any number of addresses in its own. */
function toClient(address: string | undefined): string {
  if (address === undefined) return "";
  return address.includes(":") ? (applyAddressPolicy(address, "truncate", (id) => id) ?? "") : address;
}
