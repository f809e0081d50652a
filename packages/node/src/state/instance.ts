/** Owns the instance: its id, its signing key and the secret of its hashes. */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { linkSync, writeFileSync } from "node:fs";
import { toInstanceId } from "@candor/envelope/instance-proof";
import { isRecord } from "@candor/envelope/unknown-value";
import { readObject, removeFile, replaceFile } from "./state-folder.ts";

const SECRET_BYTES = 32;
/** A hash takes about 5 µs, and the same few people use a product. */
const MAX_REMEMBERED_HASHES = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/**
 * This instance, as instance.json keeps it. All of it is random, or derived from the product's `instanceKey`; nothing
 * comes from the machine.
 */
export interface Instance {
  /** A UUID derived from the public key: a signature with the key proves whose id it is. */
  readonly instanceId: string;
  /** Ed25519, 32 bytes, base64url. */
  readonly publicKey: string;
  /** When it was made, RFC 3339. */
  readonly createdAt: string;
  /** HMAC-SHA-256 under the instance's secret, 64 characters of lower-case hex. */
  readonly keyedHash: (value: string) => string;
  /** An Ed25519 signature of a text, base64url. */
  readonly sign: (text: string) => string;
}

interface StoredInstance {
  readonly instanceId: string;
  readonly publicKey: string;
  readonly privateKey: string;
  readonly hashSecret: string;
  readonly createdAt: string;
}

/** The instance of a state folder; undefined if it has none. */
export function readInstance(file: string): Instance | undefined {
  const stored = readStored(file);
  return stored === undefined ? undefined : toInstance(stored);
}

/**
 * The instance of a state folder, created if there is none yet. If several processes create one at once, the first
 * wins and all use it. One that cannot be read is replaced, and so is one that does not derive from `instanceKey`.
 * @param instanceKey the product's own secret; undefined for a random instance
 * @throws a file system error
 */
export function openInstance(file: string, nowMs: number, instanceKey?: string): Instance {
  const stored = readStored(file);
  if (instanceKey === undefined) return toInstance(stored ?? storeFirst(file, makeRandom(nowMs)));
  const made = derive(instanceKey, nowMs);
  if (stored?.privateKey === made.privateKey && stored.hashSecret === made.hashSecret)
    return toInstance(stored);
  replaceFile(file, toText(made));
  return toInstance(made);
}

/** An instance that is not kept: `log` mode prints with it. */
export function makeEphemeralInstance(nowMs: number, instanceKey?: string): Instance {
  return toInstance(instanceKey === undefined ? makeRandom(nowMs) : derive(instanceKey, nowMs));
}

/** @returns the content of the file, which another process may have written @throws a file system error */
function storeFirst(file: string, made: StoredInstance): StoredInstance {
  const draft = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  writeFileSync(draft, toText(made), { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(draft, file);
    return made;
  } catch {
    // Another process was first; or what is there cannot be read, or the file system has no links.
    const other = readStored(file);
    if (other !== undefined) return other;
    replaceFile(file, toText(made));
    return made;
  } finally {
    removeFile(draft);
  }
}

function toText(stored: StoredInstance): string {
  return `${JSON.stringify(stored)}\n`;
}

function makeRandom(nowMs: number): StoredInstance {
  // Not exported as JWK: Node 20 may hang for ever if its garbage collector runs in between.
  const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return toStored(rawKey(publicKey), rawKey(privateKey), randomBytes(SECRET_BYTES), nowMs);
}

/**
 * The bytes that precede the 32 bytes of an Ed25519 key in its PKCS #8 form. @see
 * https://www.rfc-editor.org/rfc/rfc8410#section-7
 */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Derives the instance from a product's own secret: always the same one. @see https://www.rfc-editor.org/rfc/rfc5869
 * (HKDF)
 */
function derive(instanceKey: string, nowMs: number): StoredInstance {
  const secretFor = (use: string): Buffer =>
    Buffer.from(hkdfSync("sha256", instanceKey, "candor instance", use, SECRET_BYTES));
  const secretKey = secretFor("ed25519");
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, secretKey]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = rawKey(createPublicKey(key).export({ format: "der", type: "spki" }));
  return toStored(publicKey, secretKey, secretFor("hash"), nowMs);
}

function toStored(ownKey: Buffer, secretKey: Buffer, hashSecret: Buffer, nowMs: number): StoredInstance {
  return {
    instanceId: toInstanceId(ownKey),
    publicKey: ownKey.toString("base64url"),
    privateKey: secretKey.toString("base64url"),
    hashSecret: hashSecret.toString("base64url"),
    createdAt: new Date(nowMs).toISOString(),
  };
}

/** The 32 bytes of an Ed25519 key are the last ones of its DER. @see https://www.rfc-editor.org/rfc/rfc8410 */
function rawKey(der: Buffer): Buffer {
  return der.subarray(-32);
}

function readStored(file: string): StoredInstance | undefined {
  const stored = readObject(file);
  if (!isRecord(stored)) return undefined;
  const { instanceId, publicKey, privateKey, hashSecret, createdAt } = stored;
  const isWhole =
    typeof instanceId === "string" &&
    typeof publicKey === "string" &&
    typeof privateKey === "string" &&
    typeof hashSecret === "string" &&
    typeof createdAt === "string" &&
    // Otherwise somebody edited the file, and the id proves nothing.
    instanceId === toInstanceId(Buffer.from(publicKey, "base64url")) &&
    Buffer.from(hashSecret, "base64url").length === SECRET_BYTES;
  return isWhole ? { instanceId, publicKey, privateKey, hashSecret, createdAt } : undefined;
}

function toInstance({ instanceId, publicKey, privateKey, hashSecret, createdAt }: StoredInstance): Instance {
  const secret = Buffer.from(hashSecret, "base64url");
  const hashes = new Map<string, string>();
  const keyedHash = (value: string): string => {
    const known = hashes.get(value);
    if (known !== undefined) return known;
    const hash = createHmac("sha256", secret).update(value).digest("hex");
    if (hashes.size >= MAX_REMEMBERED_HASHES) hashes.clear();
    if (value.length <= MAX_REMEMBERED_LENGTH) hashes.set(value, hash);
    return hash;
  };
  let key: KeyObject | undefined;
  return {
    instanceId,
    publicKey,
    createdAt,
    keyedHash,
    sign: (text) => {
      key ??= createPrivateKey({
        key: { kty: "OKP", crv: "Ed25519", d: privateKey, x: publicKey },
        format: "jwk",
      });
      return sign(null, Buffer.from(text), key).toString("base64url");
    },
  };
}
