import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { isOwnedKey } from "./signed-request.ts";

// An independent implementation of RFC 8032's curve: -x² + y² = 1 + dx²y² over the integers modulo P.
const P = 2n ** 255n - 19n;
const mod = (n: bigint): bigint => ((n % P) + P) % P;
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let e = exponent, b = mod(base); e > 0n; e >>= 1n, b = mod(b * b))
    if (e & 1n) result = mod(result * b);
  return result;
}
const invert = (n: bigint): bigint => power(n, P - 2n);
const D = mod(-121665n * invert(121666n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

type Point = readonly [x: bigint, y: bigint];

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = mod(D * x1 * x2 * y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * invert(1n + product)), mod((y1 * y2 + x1 * x2) * invert(1n - product))];
}

/** Returns a point with this y; undefined if there is none. */
function pointOf(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  const root = power(square, (P + 3n) / 8n);
  for (const x of [root, mod(root * ROOT_OF_MINUS_1)]) if (mod(x * x) === square) return [x, mod(y)];
  return undefined;
}

const isIdentity = ([x, y]: Point): boolean => x === 0n && y === 1n;
const eightTimes = (point: Point): Point => [1, 2, 3].reduce<Point>((sum) => add(sum, sum), point);

/** Encodes a point in little-endian order, with the sign of x in the top bit. */
function encode(y: bigint, sign: 0n | 1n): Buffer {
  const hex = (y + (sign << 255n)).toString(16).padStart(64, "0");
  return Buffer.from(hex, "hex").reverse();
}

/**
 * Finds all points of small order: the results of multiplying any point by the order of the large subgroup.
 */
function smallOrderPoints(): readonly Point[] {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const found = new Map<string, Point>();
  for (let y = 2n; found.size < 8 && y < 200n; y += 1n) {
    let multiple: Point = [0n, 1n];
    const point = pointOf(y);
    if (point === undefined) continue;
    let double = point;
    for (let n = order; n > 0n; n >>= 1n, double = add(double, double))
      if (n & 1n) multiple = add(multiple, double);
    for (let sum = multiple, n = 0; n < 8; n += 1, sum = add(sum, multiple)) found.set(String(sum), sum);
  }
  return [...found.values()];
}

const SMALL = smallOrderPoints();

test("none of the eight points of small order is accepted as a key, with either sign", () => {
  expect(SMALL).toHaveLength(8);
  for (const point of SMALL) {
    expect(isIdentity(eightTimes(point))).toBe(true);
    for (const sign of [0n, 1n] as const)
      expect([point, isOwnedKey(encode(point[1], sign))]).toEqual([point, false]);
  }
});

test("a second encoding of a point is rejected: y at or above the field's prime", () => {
  for (let y = P; y < 2n ** 255n; y += 1n) {
    for (const sign of [0n, 1n] as const)
      expect([y - P, isOwnedKey(encode(y, sign))]).toEqual([y - P, false]);
  }
});

test("generated keys are accepted, and nothing of another length", () => {
  for (let n = 0; n < 200; n += 1) {
    const { publicKey } = generateKeyPairSync("ed25519", {
      publicKeyEncoding: { type: "spki", format: "der" },
      privateKeyEncoding: { type: "pkcs8", format: "der" },
    });
    const key = publicKey.subarray(-32);
    expect(isOwnedKey(key)).toBe(true);
    expect(isOwnedKey(key.subarray(1))).toBe(false);
    expect(isOwnedKey(Buffer.concat([key, key.subarray(0, 1)]))).toBe(false);
  }
});
