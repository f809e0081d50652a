import { randomBytes } from "node:crypto";
import ksuid from "ksuid";
import { HASHED_MESSAGE_ID } from "./message-id.ts";
import type { IdSource } from "./stamp.ts";

const KSUID_PAYLOAD_BYTES = 16;

export interface IdOptions {
  /** Gives `n` random bytes. */
  readonly random?: (bytes: number) => Buffer;
  /** A keyed hash of a text, of `[A-Za-z0-9._:-]` and at most 64 characters: a bare one is found by dictionary. */
  readonly hash: (text: string) => string;
}

/**
 * Ids as Segment's HTTP API makes them: `api-` and a KSUID, 31 characters, ordered by second.
 * @see https://github.com/segmentio/ksuid
 */
export function createIds({ random = randomBytes, hash }: IdOptions): IdSource {
  return {
    newMessageId: (atMs) => `api-${ksuid.fromParts(atMs, random(KSUID_PAYLOAD_BYTES)).string}`,
    hashMessageId: (messageId) => `${HASHED_MESSAGE_ID}${hash(messageId)}`,
  };
}
