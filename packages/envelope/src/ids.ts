import { createHash, randomBytes } from "node:crypto";
import ksuid from "ksuid";
import type { IdSource } from "./stamp.ts";

const KSUID_PAYLOAD_BYTES = 16;

/**
 * Ids as Segment's HTTP API makes them: `api-` and a KSUID, 31 characters, ordered by second.
 * @param random gives `n` random bytes; a test passes its own
 * @see https://github.com/segmentio/ksuid
 */
export function createIds(random: (bytes: number) => Buffer = randomBytes): IdSource {
  return {
    newMessageId: (atMs) => `api-${ksuid.fromParts(atMs, random(KSUID_PAYLOAD_BYTES)).string}`,
    hashMessageId: (messageId) => `sha256-${createHash("sha256").update(messageId).digest("hex")}`,
  };
}
