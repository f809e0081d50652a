/** Owns the limits on the messages that a gateway takes a second: of all browsers together, and of each a part of that. */
import { RateLimiter } from "@candor/envelope/rate-limiter";
import { applyAddressPolicy } from "@candor/plan/runtime";

/** No browser gets more than this part of what is taken a second. */
const CLIENT_SHARE = 0.25;
/** A batch that is larger than what is left may not use this part: it is kept for the other browsers. */
const RESERVED_SHARE = 0.25;
/** Clients that are remembered; beyond that, the one that sent the longest ago is forgotten. */
const MAX_CLIENTS = 1000;
/** All browsers never have to wait longer than this for large batches. */
const MAX_DEBT_MS = 60_000;

/** The limits of all browsers and of each. */
export interface Rates {
  /**
   * Seconds until this browser may send so many; 0: now. A batch is taken whole or not at all, so one that is larger than what is
   * left is taken too, and the browser waits all the longer afterwards.
   * @param address undefined: all unknown addresses share one limit
   */
  readonly waitS: (address: string | undefined, messages?: number) => number;
  readonly take: (address: string | undefined, messages: number) => void;
}

/** @param perSecond messages of all browsers together */
export function createRates(perSecond: number, clockMs: () => number): Rates {
  const limitOf = (share: number, more: { maxKeys?: number; maxDebtMs?: number } = {}): RateLimiter => {
    const rate = perSecond * share;
    return new RateLimiter({ burst: Math.max(1, rate), everyMs: 1000 / rate, clockMs, ...more });
  };
  const clients = limitOf(CLIENT_SHARE, { maxKeys: MAX_CLIENTS });
  const open = limitOf(1 - RESERVED_SHARE, { maxDebtMs: MAX_DEBT_MS });
  const reserved = limitOf(RESERVED_SHARE, { maxDebtMs: MAX_DEBT_MS });
  return {
    waitS: (address, messages = 1) => {
      const ofAllMs = Math.min(open.waitMs(), reserved.waitMs("", messages));
      return Math.max(clients.waitMs(toClient(address)), ofAllMs) / 1000;
    },
    take: (address, messages) => {
      clients.take(toClient(address), messages);
      (open.waitMs() > 0 ? reserved : open).take("", messages);
    },
  };
}

/** Counts an IPv6 network as one client: a machine can use any number of addresses in its own. */
function toClient(address: string | undefined): string {
  if (address === undefined) return "";
  return address.includes(":") ? (applyAddressPolicy(address, "truncate", (id) => id) ?? "") : address;
}
