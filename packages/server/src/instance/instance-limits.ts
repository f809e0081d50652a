import { isIP } from "node:net";
import { truncateAddress } from "@candor/plan/runtime";
import { CandorError } from "../errors.ts";
import { createRateLimit, type RateLimitOptions } from "./rate-limit.ts";

/** An operator compares a few pages now and then, and deletes once. */
const LIMIT: RateLimitOptions = {
  peer: { burst: 60, everyMs: 1000 },
  total: { burst: 600, everyMs: 100 },
  maxPeers: 10_000,
};

/**
 * How often instances may ask for work that costs the store, per network and in total. There is no limit per instance, because
 * anybody can make keys.
 */
export interface InstanceLimits {
  /**
   * @param peer an address, or the name that a trusted proxy gave the client instead. Clients with neither share one limit, so
   * hiding gains nothing.
   * @throws CandorError `too_many_requests`
   */
  take(peer: string | undefined): void;
}

/** Networks (IPv4 /24, IPv6 /48) are held in memory alone. */
export function createInstanceLimits(options: RateLimitOptions = LIMIT): InstanceLimits {
  const limit = createRateLimit(options);
  return {
    take: (peer) => {
      const network = peer === undefined || isIP(peer) === 0 ? peer : truncateAddress(peer);
      if (!limit(network ?? "")) throw new CandorError("too_many_requests");
    },
  };
}
