/** Limits the messages that a gateway accepts per second, from all browsers together and from each one. */
import { RateLimiter } from "@candor/envelope/rate-limiter";
import { applyAddressPolicy } from "@candor/plan/runtime";

/** The largest share of the rate that one browser gets. */
const CLIENT_SHARE = 0.25;
/**
 * The share that stays free for other browsers when large batches have used up the rest. A batch may use this
 * share only if the whole batch fits into what is left of it.
 */
const RESERVED_SHARE = 0.25;
/** The number of clients remembered. Beyond that, the client that sent least recently is forgotten. */
const MAX_CLIENTS = 1000;
/** Large batches make all browsers wait at most this long. */
const MAX_DEBT_MS = 60_000;

/** The rate limits: one for all browsers together, and one for each browser. */
export interface Rates {
  /**
   * Seconds until this browser may send this many messages; 0 if it may send them now. A batch is accepted as
   * a whole or not at all. So a batch larger than what is left is accepted too, except from the reserved
   * share, and the browser waits longer afterwards.
   * @param address undefined: all unknown addresses share one limit
   */
  readonly waitS: (address: string | undefined, messages?: number) => number;
  readonly take: (address: string | undefined, messages: number) => void;
}

/**
 * Creates the limits of one gateway.
 * @param perSecond messages per second, from all browsers together
 */
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

/** Treats an IPv6 network as one client, because a machine can use any number of addresses in its network. */
function toClient(address: string | undefined): string {
  if (address === undefined) return "";
  return address.includes(":") ? (applyAddressPolicy(address, "truncate", (id) => id) ?? "") : address;
}
