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
 * How often instances may ask for what costs the store: from one network, and from all together. Keys are free to make, so an
 * instance is no measure.
 */
export interface InstanceLimits {
  /**
   * @param peer an address, or the name that a trusted proxy gave a client instead; all that have neither share one limit, so
   * that nobody gains by hiding
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
