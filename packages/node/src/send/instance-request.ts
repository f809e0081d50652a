/** What an instance signs to prove itself to a collector. */
import { type InstanceAction, toSignedText } from "@candor/envelope/instance-proof";
import type { Instance } from "../state/instance.ts";

export type { InstanceAction };

export interface SignOptions {
  /** The collector's address, of which the origin is signed: at another collector the request proves nothing. */
  readonly url: URL;
  /** By the collector's clock, as far as it is known: the request holds for five minutes before and after. */
  readonly nowMs: number;
  /** Further fields of the body; they are not signed. */
  readonly more?: { readonly [field: string]: string | number };
}

/** The body of `POST /v1/instance/<action>`. */
export function signRequest(instance: Instance, action: InstanceAction, options: SignOptions): Buffer {
  const { instanceId, publicKey } = instance;
  const { origin } = options.url;
  const signedAt = new Date(options.nowMs).toISOString();
  const signature = instance.sign(toSignedText({ action, instanceId, signedAt, origin }));
  return Buffer.from(JSON.stringify({ instanceId, publicKey, signedAt, origin, signature, ...options.more }));
}
