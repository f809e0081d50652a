import { createPublicKey, verify } from "node:crypto";
import { type JsonObject, parseTime } from "@candor/envelope";
import { CandorError } from "../errors.ts";

/** As SDKs make them, and nothing in which an address or a name could stand: hex, or a UUID. */
const INSTANCE_ID = /^(?:[0-9a-f]{20,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** 64 bytes. */
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const MAX_SKEW_MS = 5 * 60_000;

export type InstanceAction = "key" | "compare" | "forget";

/** A body that has the right form, and was signed a moment ago. By whom, `checkSignature` tells. */
export interface SignedRequest {
  readonly action: InstanceAction;
  readonly instanceId: string;
  readonly signedAt: string;
  readonly signature: string;
}

/** @throws CandorError `instance_request_invalid`, `signature_stale` */
export function readSignedRequest(action: InstanceAction, body: JsonObject, nowMs: number): SignedRequest {
  const { signedAt } = body;
  const signedAtMs = parseTime(signedAt);
  if (typeof signedAt !== "string" || signedAtMs === undefined) throw invalidField("signedAt");
  const request = {
    action,
    instanceId: readText(body, "instanceId", INSTANCE_ID),
    signedAt,
    signature: readText(body, "signature", SIGNATURE),
  };
  if (Math.abs(nowMs - signedAtMs) > MAX_SKEW_MS) {
    throw new CandorError("signature_stale", { minutes: MAX_SKEW_MS / 60_000 });
  }
  return request;
}

/** @throws CandorError `instance_request_invalid` */
export function readText(body: JsonObject, field: string, form: RegExp): string {
  const value = body[field];
  if (typeof value !== "string" || !form.test(value)) throw invalidField(field);
  return value;
}

export function invalidField(field: string): CandorError {
  return new CandorError("instance_request_invalid", { field });
}

/** @throws CandorError `signature_invalid` */
export function checkSignature(
  { action, instanceId, signedAt, signature }: SignedRequest,
  publicKey: string,
): void {
  const text = `candor\n${action}\n${instanceId}\n${signedAt}`;
  if (!isSignedBy(publicKey, text, signature)) throw new CandorError("signature_invalid");
}

function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
  } catch {
    return false; // 32 bytes that are no key
  }
}
