import { createPublicKey, verify } from "node:crypto";
import { type JsonObject, parseTime } from "@candor/envelope";
import { CandorError } from "../errors.ts";
import type { Store } from "../store/client.ts";
import { type ForgetDependencies, forget } from "./forget.ts";
import { whileStoreAnswers } from "./store-away.ts";

/** As SDKs make them, and nothing in which an address or a name could stand: hex, or a UUID. */
const INSTANCE_ID = /^(?:[0-9a-f]{20,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** 32 bytes, and 64. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const MAX_SKEW_MS = 5 * 60_000;

export type InstanceAction = "key" | "forget";

/** A body that has the right form, and was signed a moment ago. */
interface SignedRequest {
  readonly action: InstanceAction;
  readonly instanceId: string;
  readonly signedAt: string;
  readonly signature: string;
}

/**
 * What an instance asks for itself. Bodies:
 * - `key`: `{instanceId, publicKey, signedAt, signature}` registers the instance's key; the first one seen stays.
 * - `forget`: `{instanceId, signedAt, signature}` deletes what is kept of the instance; the answer is the receipt.
 *
 * `publicKey` is an Ed25519 key's 32 bytes and `signature` its 64 bytes, both base64url without padding. What is signed is
 * the UTF-8 text of the lines `candor`, the action, the instanceId and signedAt (RFC 3339), joined by "\n".
 * @throws CandorError `instance_request_invalid`, `signature_stale`, `signature_invalid`, `instance_key_differs`,
 * `instance_unknown`, `store_away`, `forget_incomplete`
 */
export async function handleInstanceRequest(
  action: InstanceAction,
  body: JsonObject,
  deps: ForgetDependencies,
): Promise<object> {
  const request = readRequest(action, body);
  checkTime(request, deps.now());
  if (action === "key") {
    const publicKey = textOf(body, "publicKey", PUBLIC_KEY);
    checkSignature(request, publicKey);
    await registerKey(deps, request.instanceId, publicKey);
    return { success: true };
  }
  const publicKey = await findKey(deps.store, request.instanceId);
  if (publicKey === undefined) throw new CandorError("instance_unknown");
  checkSignature(request, publicKey);
  return forget({ instance: request.instanceId }, deps);
}

function readRequest(action: InstanceAction, body: JsonObject): SignedRequest {
  const { signedAt } = body;
  if (typeof signedAt !== "string" || parseTime(signedAt) === undefined) throw invalid("signedAt");
  return {
    action,
    instanceId: textOf(body, "instanceId", INSTANCE_ID),
    signedAt,
    signature: textOf(body, "signature", SIGNATURE),
  };
}

function textOf(body: JsonObject, field: string, form: RegExp): string {
  const value = body[field];
  if (typeof value !== "string" || !form.test(value)) throw invalid(field);
  return value;
}

function invalid(field: string): CandorError {
  return new CandorError("instance_request_invalid", { field });
}

function checkTime({ signedAt }: SignedRequest, nowMs: number): void {
  const signedAtMs = parseTime(signedAt) ?? Number.NEGATIVE_INFINITY;
  if (Math.abs(nowMs - signedAtMs) > MAX_SKEW_MS) {
    throw new CandorError("signature_stale", { minutes: MAX_SKEW_MS / 60_000 });
  }
}

function checkSignature({ action, instanceId, signedAt, signature }: SignedRequest, publicKey: string): void {
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

/** Of two that come at once, the one that `findKey` finds from then on is told so; the other is refused. */
async function registerKey(
  { store, now }: ForgetDependencies,
  instanceId: string,
  publicKey: string,
): Promise<void> {
  if ((await findKey(store, instanceId)) === undefined) {
    const registeredAt = new Date(now()).toISOString().replace("T", " ").replace("Z", "");
    await whileStoreAnswers(() =>
      store.insertRows("instance_keys", [{ instanceId, publicKey, registeredAt }]),
    );
  }
  if ((await findKey(store, instanceId)) !== publicKey) throw new CandorError("instance_key_differs");
}

async function findKey(store: Store, instanceId: string): Promise<string | undefined> {
  const sql =
    "SELECT publicKey FROM instance_keys WHERE instanceId = {instanceId:String} ORDER BY registeredAt, publicKey LIMIT 1";
  const [row] = await whileStoreAnswers(() => store.query(sql, { instanceId }));
  return row === undefined ? undefined : String(row.publicKey);
}
