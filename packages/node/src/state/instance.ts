/** Owns the instance: its id, its signing key and the secret for its hashes. */
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
/** How many hashes are cached, because a product's users are mostly the same few people. */
const MAX_REMEMBERED_HASHES = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/**
 * This instance, as stored in instance.json. Its keys are random, or derived from the product's
 * `instanceKey`; nothing is derived from the machine.
 */
export interface Instance {
  /** A UUID derived from the public key, so that a signature with the key proves the id. */
  readonly instanceId: string;
  /** The raw 32 bytes of an Ed25519 key, base64url. */
  readonly publicKey: string;
  /** When the instance was created, RFC 3339. */
  readonly createdAt: string;
  /** Returns the HMAC-SHA-256 of a value under the instance's secret, as 64 lower-case hex digits. */
  readonly keyedHash: (value: string) => string;
  /** Returns an Ed25519 signature of a text, base64url. */
  readonly sign: (text: string) => string;
}

interface StoredInstance {
  readonly instanceId: string;
  readonly publicKey: string;
  readonly privateKey: string;
  readonly hashSecret: string;
  readonly createdAt: string;
}

/** Reads the instance of a state folder; undefined if it has none, or one that cannot be read. */
export function readInstance(file: string): Instance | undefined {
  const stored = readStored(file);
  return stored === undefined ? undefined : toInstance(stored);
}

/**
 * Opens the instance of a state folder, and creates one if there is none yet. If several processes create one
 * at the same time, the first wins and all of them use it. An instance that cannot be read, or was not
 * derived from the given `instanceKey`, is replaced.
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

/** Makes an instance that is not stored, for `log` mode. */
export function makeEphemeralInstance(nowMs: number, instanceKey?: string): Instance {
  return toInstance(instanceKey === undefined ? makeRandom(nowMs) : derive(instanceKey, nowMs));
}

/**
 * Stores a new instance unless another process has stored one.
 * @returns the content of the file
 * @throws a file system error
 */
function storeFirst(file: string, made: StoredInstance): StoredInstance {
  const draft = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  writeFileSync(draft, toText(made), { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(draft, file);
    return made;
  } catch {
    // Either another process was first, or the existing file cannot be read, or the file system does not
    // support links.
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
  // The key is not exported as JWK, because Node 20 may hang forever if its garbage collector runs at that
  // time.
  const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return toStored(rawKey(publicKey), rawKey(privateKey), randomBytes(SECRET_BYTES), nowMs);
}

/**
 * The bytes that precede the 32 bytes of an Ed25519 key in PKCS #8.
 * @see https://www.rfc-editor.org/rfc/rfc8410#section-7
 */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Derives the instance from a product's own secret. The same secret always gives the same instance.
 * @see https://www.rfc-editor.org/rfc/rfc5869 (HKDF)
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

/**
 * The last 32 bytes of an Ed25519 key's DER, which are the key itself.
 * @see https://www.rfc-editor.org/rfc/rfc8410
 */
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
    // If these differ, the file was edited, and the id proves nothing.
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
