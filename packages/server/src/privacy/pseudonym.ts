/** Makes keyed hashes of values that identify somebody. */
import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { HASHED_MESSAGE_ID } from "@candor/envelope";
import { applyAddressPolicy, isAddress } from "@candor/plan/runtime";
import { CandorError, causeOf } from "../errors.ts";
import { writeFileDurably } from "../log/disk.ts";
import { memoize } from "./memo.ts";

const SECRET_BYTES = 32;
const PSEUDONYM_BYTES = 16;
const MEMO = { slots: 32_768, keyLength: 128, ageMs: 600_000 };

/** Returns the first 32 characters of the lower-case hex of a value's HMAC-SHA-256. */
export type Pseudonym = (value: string) => string;

/**
 * Opens the keyed hash for values that identify somebody. The secret is read from `file` (64 hex digits, mode
 * 0600), or generated and stored there. Without the secret, nobody can find a value by guessing. Recent
 * hashes are remembered for up to ten minutes (each takes about 2 µs to compute).
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function openPseudonyms(file: string, random: (bytes: number) => Buffer = randomBytes): Pseudonym {
  const secret = existsSync(file) ? readSecret(file) : makeSecret(file, random);
  return memoize(
    // `slice` on the whole hex would give one of V8's sliced strings, which double the time of JSON.stringify.
    (value) => createHmac("sha256", secret).update(value).digest().toString("hex", 0, PSEUDONYM_BYTES),
    MEMO,
  );
}

function makeSecret(file: string, random: (bytes: number) => Buffer): Buffer {
  const secret = random(SECRET_BYTES);
  writeFileDurably(file, `${secret.toString("hex")}\n`);
  return secret;
}

function readSecret(file: string): Buffer {
  const text = readPrivately(file);
  if (/^[0-9a-f]{64}\n?$/.test(text)) return Buffer.from(text.trim(), "hex");
  throw new CandorError("keys_unreadable", { file, why: "not 64 hex digits" });
}

function readPrivately(file: string): string {
  try {
    chmodSync(file, 0o600);
    return readFileSync(file, "latin1");
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "EACCES" || cause === "EPERM") {
      throw new CandorError("data_folder_unwritable", { folder: file, cause }, error);
    }
    throw new CandorError("keys_unreadable", { file, why: cause }, error);
  }
}

/**
 * Returns the forms in which the store may hold an id or hash that a client sent. The sent form comes first.
 */
export type StoredForms = (id: string) => readonly string[];

/**
 * Creates a function that returns the forms of an id. The truncated form of an address is not included,
 * because it stands for many machines.
 */
export function createStoredForms(pseudonym: Pseudonym): StoredForms {
  return (id) => {
    const hashed = pseudonym(id);
    const hashedAddress = isAddress(id) ? applyAddressPolicy(id, "hash", pseudonym) : undefined;
    const forms = [id, hashed, `${HASHED_MESSAGE_ID}${hashed}`];
    return hashedAddress === undefined ? forms : [...forms, hashedAddress];
  };
}
