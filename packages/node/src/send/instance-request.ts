import type { Instance } from "../state/instance.ts";

/** What an instance asks a collector for itself; the collector's `POST /v1/instance/<action>`. */
export type InstanceAction = "key" | "compare" | "forget";

/**
 * The body of a request that proves itself with the instance's key: signed are the lines `candor`, the action, the
 * instanceId and signedAt. It holds for five minutes.
 * @param more further fields of the body; they are not signed
 */
export function signRequest(
  instance: Instance,
  action: InstanceAction,
  nowMs: number,
  more: { readonly [field: string]: string | number } = {},
): Buffer {
  const { instanceId } = instance;
  const signedAt = new Date(nowMs).toISOString();
  const signature = instance.sign(`candor\n${action}\n${instanceId}\n${signedAt}`);
  return Buffer.from(JSON.stringify({ instanceId, signedAt, signature, ...more }));
}
