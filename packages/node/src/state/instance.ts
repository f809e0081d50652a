import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { linkSync, writeFileSync } from "node:fs";
import { toInstanceId } from "@candor/envelope/instance-proof";
import { isRecord } from "../unknown-value.ts";
import { readObject, removeFile, replaceFile } from "./state-folder.ts";

const SECRET_BYTES = 32;
/** A hash takes about 5 µs, and the same few people use a product. */
const MAX_REMEMBERED_HASHES = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/** Who this instance is, as instance.json keeps it. All of it is random or derived from that, nothing from the machine. */
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

/** The instance of a state folder; undefined when it has none. */
export function readInstance(file: string): Instance | undefined {
  const stored = readStored(file);
  return stored === undefined ? undefined : toInstance(stored);
}

/**
 * The instance of a state folder, made when there is none yet. Of several processes that make one at once, the first
 * wins and all get its. One that cannot be read is replaced.
 * @throws the file system's error
 */
export function openInstance(file: string, nowMs: number): Instance {
  const stored = readStored(file) ?? makeStored(file, nowMs);
  return toInstance(stored);
}

/** An instance that is kept nowhere: what `log` mode prints with. */
export function makeEphemeralInstance(nowMs: number): Instance {
  return toInstance(newStored(nowMs));
}

function makeStored(file: string, nowMs: number): StoredInstance {
  const made = newStored(nowMs);
  const text = `${JSON.stringify(made)}\n`;
  const draft = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(draft, file);
    return made;
  } catch {
    // Another process was first; or what is there cannot be read, or the file system has no links.
    const other = readStored(file);
    if (other !== undefined) return other;
    replaceFile(file, text);
    return made;
  } finally {
    removeFile(draft);
  }
}

function newStored(nowMs: number): StoredInstance {
  // Not exported as JWK: Node 20 may hang for ever when its garbage collector comes between.
  const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const [ownKey, secretKey] = [rawKey(publicKey), rawKey(privateKey)];
  return {
    instanceId: toInstanceId(ownKey),
    publicKey: ownKey.toString("base64url"),
    privateKey: secretKey.toString("base64url"),
    hashSecret: randomBytes(SECRET_BYTES).toString("base64url"),
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
    // If not, somebody edited the file, and the id proves nothing.
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
