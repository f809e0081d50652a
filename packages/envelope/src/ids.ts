/** Creates message ids, and hashes those that clients sent. */
import { randomBytes } from "node:crypto";
import ksuid from "ksuid";
import { HASHED_MESSAGE_ID } from "./message-id.ts";
import type { IdSource } from "./stamp.ts";

const KSUID_PAYLOAD_BYTES = 16;

export interface IdOptions {
  /** Returns this many random bytes. Default: `randomBytes` of node:crypto. */
  readonly random?: (bytes: number) => Buffer;
  /**
   * Returns a keyed hash of a text, at most 64 characters of `[A-Za-z0-9._:-]`. A hash without a key could be
   * reversed with a dictionary.
   */
  readonly hash: (text: string) => string;
}

/**
 * Creates an IdSource. Its new ids are like those of Segment's HTTP API: `api-` and a KSUID, 31 characters in
 * total. They sort by creation time, to the second.
 * @see https://github.com/segmentio/ksuid
 */
export function createIds({ random = randomBytes, hash }: IdOptions): IdSource {
  return {
    newMessageId: (atMs) => `api-${ksuid.fromParts(atMs, random(KSUID_PAYLOAD_BYTES)).string}`,
    hashMessageId: (messageId) => `${HASHED_MESSAGE_ID}${hash(messageId)}`,
  };
}
