/** Reads an instance's request and verifies its proof, without querying the store. */
import { createPublicKey, verify } from "node:crypto";
import { type JsonObject, parseTime } from "@candor/envelope";
import { type InstanceAction, toInstanceId, toSignedText } from "@candor/envelope/instance-proof";
import { CandorError } from "../errors.ts";

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** A version 8 UUID in canonical form. */
const INSTANCE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ORIGIN = /^https?:\/\/[^\s/]{1,260}$/;
const MAX_SKEW_MS = 5 * 60_000;

/**
 * Checks that a request was signed within five minutes of now, for this action and this collector, by the
 * instance that the request is about. An invalid request costs at most one hash and one signature
 * verification.
 * @param origins the addresses at which this collector is reached, as `URL.origin` writes them
 * @returns the instance's id
 * @throws CandorError `instance_request_invalid`, `instance_key_mismatch`, `origin_mismatch`,
 * `signature_invalid`, `signature_stale`
 */
export function readSignedRequest(
  action: InstanceAction,
  body: JsonObject,
  origins: ReadonlySet<string>,
  nowMs: number,
): string {
  const publicKey = readBytes(body, "publicKey", PUBLIC_KEY_BYTES);
  const instanceId = readText(body, "instanceId", INSTANCE_ID);
  const origin = readText(body, "origin", ORIGIN);
  const signature = readBytes(body, "signature", SIGNATURE_BYTES);
  const { signedAt } = body;
  const signedAtMs = parseTime(signedAt);
  if (typeof signedAt !== "string" || signedAtMs === undefined) throw invalidField("signedAt");
  if (!isOwnedKey(publicKey)) throw invalidField("publicKey");
  if (toInstanceId(publicKey) !== instanceId) throw new CandorError("instance_key_mismatch");
  if (!origins.has(origin)) throw new CandorError("origin_mismatch");
  const text = toSignedText({ action, instanceId, signedAt, origin });
  if (!isSignedBy(publicKey, text, signature)) throw new CandorError("signature_invalid");
  if (Math.abs(nowMs - signedAtMs) > MAX_SKEW_MS)
    throw new CandorError("signature_stale", { minutes: MAX_SKEW_MS / 60_000 });
  return instanceId;
}

export function invalidField(field: string): CandorError {
  return new CandorError("instance_request_invalid", { field });
}

function readText(body: JsonObject, field: string, form: RegExp): string {
  const value = body[field];
  if (typeof value !== "string" || !form.test(value)) throw invalidField(field);
  return value;
}

/**
 * Decodes a field that holds `length` bytes as unpadded base64url.
 * @throws CandorError `instance_request_invalid` for a non-canonical encoding or the wrong length
 */
function readBytes(body: JsonObject, field: string, length: number): Buffer {
  const value = body[field];
  const isOfLength = typeof value === "string" && value.length === Math.ceil((length * 4) / 3);
  const bytes = Buffer.from(isOfLength ? value : "", "base64url");
  if (bytes.length !== length || bytes.toString("base64url") !== value) throw invalidField(field);
  return bytes;
}

function isSignedBy(publicKey: Buffer, text: string, signature: Buffer): boolean {
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey.toString("base64url") };
    return verify(null, Buffer.from(text), createPublicKey({ key: jwk, format: "jwk" }), signature);
  } catch {
    return false; // the 32 bytes are not a key
  }
}

const FIELD_PRIME = 2n ** 255n - 19n;
const SIGN_BIT = 2n ** 255n;

/** A y coordinate of points of order 8. The only other one is its negative. */
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/**
 * The y coordinates of the eight points whose order divides 8: 1 (order 1), -1 (order 2), 0 (two points of
 * order 4), and two values for four points of order 8.
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  ORDER_8_Y,
  FIELD_PRIME - ORDER_8_Y,
]);

/**
 * Whether 32 bytes can be the key of a single owner. A point of small order cannot, because anybody can sign
 * for it. A second encoding of a point (y not below the field's prime) cannot, because one key would have two
 * ids. No signature is valid for bytes that are not a point, so they are not checked here.
 * @see https://www.rfc-editor.org/rfc/rfc8032#section-5.1.3
 */
export function isOwnedKey(publicKey: Uint8Array): boolean {
  const littleEndian = Buffer.from(publicKey).reverse().toString("hex");
  const y = BigInt(`0x${littleEndian}`) % SIGN_BIT;
  return publicKey.length === 32 && y < FIELD_PRIME && !SMALL_ORDER_Y.has(y);
}
