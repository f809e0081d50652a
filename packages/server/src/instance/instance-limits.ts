import { isIP } from "node:net";
import { truncateAddress } from "@candor/plan/runtime";
import { CandorError } from "../errors.ts";
import { createRateLimit, type RateLimitOptions } from "./rate-limit.ts";

/** An instance registers once in its life, and an operator compares a few pages now and then. */
const LIMIT: RateLimitOptions = {
  peer: { burst: 60, everyMs: 1000 },
  total: { burst: 600, everyMs: 100 },
  maxPeers: 10_000,
};

/** How often instances may ask for what costs the store: from one network, and from all together. */
export interface InstanceLimits {
  /**
   * @param peer an address, or the name that a trusted proxy gave a client instead; all that have neither share one limit, so
   * that nobody gains by hiding
   * @throws CandorError `too_many_requests`
   */
  take(action: "key" | "compare", peer: string | undefined): void;
}

/** Networks (IPv4 /24, IPv6 /48) are held in memory alone. */
export function createInstanceLimits(options: RateLimitOptions = LIMIT): InstanceLimits {
  const limits = { key: createRateLimit(options), compare: createRateLimit(options) };
  return {
    take: (action, peer) => {
      const network = peer === undefined || isIP(peer) === 0 ? peer : truncateAddress(peer);
      if (!limits[action](network ?? "")) throw new CandorError("too_many_requests");
    },
  };
}
