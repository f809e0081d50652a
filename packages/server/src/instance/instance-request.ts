import type { JsonObject } from "@candor/envelope";
import { CandorError } from "../errors.ts";
import type { Forget } from "../forget/forget.ts";
import { type HeldEventsDependencies, readHeldEvents, readHeldPage } from "./held-events.ts";
import { findKey, registerKey } from "./instance-keys.ts";
import type { InstanceLimits } from "./instance-limits.ts";
import { checkSignature, type InstanceAction, readSignedRequest, readText } from "./signed-request.ts";

/** 32 bytes. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;

export interface InstanceDependencies extends HeldEventsDependencies {
  readonly limits: InstanceLimits;
  readonly forget: Forget;
}

/**
 * What an instance asks for itself; the answer is the text of its JSON. Bodies:
 * - `key`: `{instanceId, publicKey, signedAt, signature}` registers the instance's key; the first one seen stays.
 * - `compare`: `{instanceId, signedAt, signature, limit?, cursor?}` answers a page of what is kept of the instance.
 * - `forget`: `{instanceId, signedAt, signature}` deletes what is kept of the instance, but for its key; the answer is the
 *   receipt.
 *
 * `publicKey` is an Ed25519 key's 32 bytes and `signature` its 64 bytes, both base64url without padding. What is signed is
 * the UTF-8 text of the lines `candor`, the action, the instanceId and signedAt (RFC 3339), joined by "\n". A request that
 * is sent again within the five minutes does what it did before, to the same instance.
 * @param peer what tells who asks from others, an address as a rule; undefined when nothing does
 * @throws CandorError `instance_request_invalid`, `signature_stale`, `too_many_requests` (never of `forget`),
 * `signature_invalid`, `instance_key_differs`, `instance_unknown`, `store_away`, `forget_incomplete`, `forget_busy`
 */
export async function handleInstanceRequest(
  action: InstanceAction,
  body: JsonObject,
  peer: string | undefined,
  deps: InstanceDependencies,
): Promise<string> {
  const request = readSignedRequest(action, body, deps.now());
  const { instanceId } = request;
  if (action === "key") {
    const publicKey = readText(body, "publicKey", PUBLIC_KEY);
    checkSignature(request, publicKey);
    deps.limits.take(action, peer);
    await registerKey(deps.store, instanceId, publicKey, deps.now());
    return '{"success":true}';
  }
  const page = action === "compare" ? readHeldPage(body) : undefined;
  if (action === "compare") deps.limits.take(action, peer);
  const publicKey = await findKey(deps.store, instanceId);
  if (publicKey === undefined) throw new CandorError("instance_unknown");
  checkSignature(request, publicKey);
  if (page !== undefined) return readHeldEvents(instanceId, page, deps);
  return JSON.stringify(await deps.forget({ instance: instanceId }));
}
