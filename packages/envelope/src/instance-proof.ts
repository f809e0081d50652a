/**
 * Defines for SDKs and collectors how an instance proves its identity: its id is derived from its public key,
 * and it signs its requests.
 */
import { createHash } from "node:crypto";

/** What an instance can request of a collector: `POST /v1/instance/<action>`. */
export const INSTANCE_ACTIONS = ["compare", "forget"] as const;
export type InstanceAction = (typeof INSTANCE_ACTIONS)[number];

/** The claim that an instance signs. */
export interface InstanceClaim {
  readonly action: InstanceAction;
  readonly instanceId: string;
  /** When the claim was signed, RFC 3339. */
  readonly signedAt: string;
  /** The collector's origin, in the form of `URL.origin`: `https://telemetry.example.org`. */
  readonly origin: string;
}

const UUID_PARTS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/**
 * Derives an instance's id: the first 16 bytes of the SHA-256 of its public key, as a version 8 UUID.
 * @param publicKey the 32 bytes of an Ed25519 key
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
export function toInstanceId(publicKey: Uint8Array): string {
  const bytes = createHash("sha256").update(publicKey).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80; // version 8
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // RFC 9562's variant
  return bytes.toString("hex").replace(UUID_PARTS, "$1-$2-$3-$4-$5");
}

/**
 * The text to sign. None of its parts can contain a line feed, so two different claims never yield the same
 * text.
 */
export function toSignedText({ action, instanceId, signedAt, origin }: InstanceClaim): string {
  return `candor\n${action}\n${instanceId}\n${signedAt}\n${origin}`;
}
