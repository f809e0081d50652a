/** How an instance proves who it is, for SDKs and collectors alike: its id comes from its public key, and it signs its requests. */
import { createHash } from "node:crypto";

/** What an instance can ask a collector to do for it: `POST /v1/instance/<action>`. */
export const INSTANCE_ACTIONS = ["compare", "forget"] as const;
export type InstanceAction = (typeof INSTANCE_ACTIONS)[number];

/** What an instance signs. */
export interface InstanceClaim {
  readonly action: InstanceAction;
  readonly instanceId: string;
  /** RFC 3339. */
  readonly signedAt: string;
  /** Of the collector that is asked: `https://telemetry.example.org`, as `URL.origin` writes it. */
  readonly origin: string;
}

const UUID_PARTS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/**
 * The id of an instance: the first 16 bytes of the SHA-256 of its public key, as a UUID of version 8.
 * @param publicKey the 32 bytes of an Ed25519 key
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
export function toInstanceId(publicKey: Uint8Array): string {
  const bytes = createHash("sha256").update(publicKey).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80; // version 8
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // RFC 9562's variant
  return bytes.toString("hex").replace(UUID_PARTS, "$1-$2-$3-$4-$5");
}

/** The text that is signed. No part of it can hold a line feed, so no two claims have the same text. */
export function toSignedText({ action, instanceId, signedAt, origin }: InstanceClaim): string {
  return `candor\n${action}\n${instanceId}\n${signedAt}\n${origin}`;
}
