/** Decides which Ed25519 public keys can prove an instance's identity. */

const FIELD_PRIME = 2n ** 255n - 19n;
const SIGN_BIT = 2n ** 255n;

/** The y of a point of order 8; its negative is the other one. */
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/** y of the eight points whose order divides 8: 1 (order 1), -1 (2), 0 (4, twice), and four of order 8. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  ORDER_8_Y,
  FIELD_PRIME - ORDER_8_Y,
]);

/**
 * Whether 32 bytes can be one owner's key. A point of small order cannot: anybody can sign for it. Nor can a second
 * encoding of a point (y not below the field's prime): one key would have two ids. Bytes that are not a point verify
 * nothing.
 * @see https://www.rfc-editor.org/rfc/rfc8032#section-5.1.3
 */
export function isOwnedKey(publicKey: Uint8Array): boolean {
  const littleEndian = Buffer.from(publicKey).reverse().toString("hex");
  const y = BigInt(`0x${littleEndian}`) % SIGN_BIT;
  return publicKey.length === 32 && y < FIELD_PRIME && !SMALL_ORDER_Y.has(y);
}
