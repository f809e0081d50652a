/**
 * Handles an instance's requests about itself: to see what the collector stores about it, or to have that
 * deleted.
 */
import type { JsonObject } from "@candor/envelope";
import type { InstanceAction } from "@candor/envelope/instance-proof";
import { type Forget, type ForgetReceipt, joinReceipts } from "../forget/forget.ts";
import { type HeldPage, type HoldingProduct, readHeldEvents, readHeldPage } from "./held-events.ts";
import type { InstanceLimits } from "./instance-limits.ts";
import { readSignedRequest } from "./signed-request.ts";

export interface InstanceDependencies {
  /** An instance does not say which product it is of, so all of them are asked. */
  readonly products: readonly (HoldingProduct & { readonly forget: Forget })[];
  readonly limits: InstanceLimits;
  readonly now: () => number;
}

/** Who sends a request, and at which addresses the collector is reached. */
export interface Asking {
  /** The client's name for rate limits, usually its address; undefined if nothing identifies it. */
  readonly peer: string | undefined;
  /** The addresses at which this collector is reached, as `URL.origin` writes them. */
  readonly origins: ReadonlySet<string>;
}

/** A request that is proven to come from the instance it is about. */
export type ProvenRequest =
  | { readonly action: "compare"; readonly instanceId: string; readonly page: HeldPage }
  | { readonly action: "forget"; readonly instanceId: string };

/**
 * Verifies a request without querying the store. A request that fails does not count against the limits.
 * Bodies:
 * - `compare`: `{instanceId, publicKey, signedAt, origin, signature, limit?, cursor?}`, for a page of stored
 *   events
 * - `forget`: `{instanceId, publicKey, signedAt, origin, signature}`
 *
 * `publicKey` and `signature` are base64url without padding; `toInstanceId` derives the id from the key, and
 * `toSignedText` builds the text to sign. A request that is replayed within five minutes of `signedAt`
 * repeats the same action for the same instance.
 * @throws the same CandorError as readSignedRequest; also `instance_request_invalid` for `limit` or `cursor`,
 * and `too_many_requests`
 */
export function proveRequest(
  action: InstanceAction,
  body: JsonObject,
  { peer, origins }: Asking,
  { now, limits }: Pick<InstanceDependencies, "now" | "limits">,
): ProvenRequest {
  const instanceId = readSignedRequest(action, body, origins, now());
  const proven: ProvenRequest =
    action === "compare" ? { action, instanceId, page: readHeldPage(body) } : { action, instanceId };
  limits.take(peer);
  return proven;
}

/**
 * Returns the answer as JSON text: a page, or a deletion receipt.
 * @throws CandorError `store_away`, `forget_incomplete`, `forget_busy`
 */
export async function answerRequest(request: ProvenRequest, deps: InstanceDependencies): Promise<string> {
  const { instanceId } = request;
  if (request.action === "compare") return readHeldEvents(instanceId, request.page, deps);
  const receipts: ForgetReceipt[] = [];
  for (const { forget } of deps.products) receipts.push(await forget({ instance: instanceId }));
  return JSON.stringify(joinReceipts(receipts));
}
