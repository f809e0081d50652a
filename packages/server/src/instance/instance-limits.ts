/**
 * Limits, per network and in total, how often instances may send requests that are expensive for the store.
 */
import { isIP } from "node:net";
import { type Rate, RateLimiter } from "@candor/envelope/rate-limiter";
import { truncateAddress } from "@candor/plan/runtime";
import { CandorError } from "../errors.ts";

/** Enough for an operator, who compares a few pages now and then and deletes an instance once. */
const NETWORK: Rate = { burst: 60, everyMs: 1000 };
const ALL: Rate = { burst: 600, everyMs: 100 };
const MAX_NETWORKS = 10_000;

export interface InstanceLimitsOptions {
  /** For each network. Default: 60 requests at once, then one a second. */
  readonly network?: Rate;
  /** For all networks together. Default: 600 requests at once, then one every 100 ms. */
  readonly all?: Rate;
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  readonly clockMs?: () => number;
}

/**
 * Limits requests per network and in total. There is no limit per instance, because anybody can create keys.
 */
export interface InstanceLimits {
  /**
   * Counts a request against the limits. A request that exceeds a limit is rejected and not counted.
   * @param peer an address, or the name that a trusted proxy gave the client instead. Clients with neither
   * share one limit, so hiding gains nothing.
   * @throws CandorError `too_many_requests`
   */
  take(peer: string | undefined): void;
}

/** Creates the limits. Networks (IPv4 /24, IPv6 /48) are kept only in memory. */
export function createInstanceLimits(options: InstanceLimitsOptions = {}): InstanceLimits {
  const { network = NETWORK, all = ALL, clockMs = () => performance.now() } = options;
  const ofNetworks = new RateLimiter({ ...network, maxKeys: MAX_NETWORKS, clockMs });
  const ofAll = new RateLimiter({ ...all, clockMs });
  return {
    take: (peer) => {
      const name = (peer === undefined || isIP(peer) === 0 ? peer : truncateAddress(peer)) ?? "";
      if (ofNetworks.waitMs(name) > 0 || ofAll.waitMs() > 0) throw new CandorError("too_many_requests");
      ofNetworks.take(name);
      ofAll.take();
    },
  };
}
