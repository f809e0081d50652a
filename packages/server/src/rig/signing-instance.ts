/** For tests: creates instances with a key pair, as an SDK does. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type InstanceAction, toInstanceId, toSignedText } from "@candor/envelope/instance-proof";

export interface SigningInstance {
  readonly instanceId: string;
  /** The public key in base64url. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export interface SignedBody {
  readonly [field: string]: string;
}

/** Makes a new instance with a unique id. */
export function newInstance(): SigningInstance {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const x = String(publicKey.export({ format: "jwk" }).x);
  return { instanceId: toInstanceId(Buffer.from(x, "base64url")), publicKey: x, privateKey };
}

/**
 * Builds the signed body of an instance's request.
 * @param claim the values to claim, which may be false
 */
export function signBody(
  action: InstanceAction,
  { instanceId, publicKey, privateKey }: SigningInstance,
  claim: { readonly signedAt: string; readonly origin: string; readonly instanceId?: string },
): SignedBody {
  const { signedAt, origin } = claim;
  const claimed = { action, instanceId: claim.instanceId ?? instanceId, signedAt, origin };
  const signature = sign(null, Buffer.from(toSignedText(claimed)), privateKey).toString("base64url");
  return { instanceId: claimed.instanceId, publicKey, signedAt, origin, signature };
}
