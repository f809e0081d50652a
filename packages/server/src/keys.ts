/** Owns the write keys and the admin token. */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, SOURCES, type Source } from "./config.ts";
import { CandorError, causeOf } from "./errors.ts";
import { writeFileDurably } from "./log/disk.ts";

/** The write keys of the sources and the token of the read API. */
export interface Keys {
  readonly writeKeys: Readonly<Record<Source, string>>;
  readonly adminToken: string;
}

const KEY_RANDOM_BYTES = 18;

/**
 * Returns the write keys and the token in force. Each comes from the settings if it is set there, else from
 * `keys.json` in the data folder (mode 0600). If that file does not exist, it is created with new keys. Keys
 * from the settings are not written to the file.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function openKeys(config: Config, random: (bytes: number) => Buffer = randomBytes): Keys {
  const file = keysFile(config);
  if (existsSync(file)) {
    reportFaults(file, () => chmodSync(file, 0o600));
    return readKeys(config);
  }
  const keys = makeKeys(random);
  writeFileDurably(file, `${JSON.stringify(keys, null, 2)}\n`);
  return withSettings(keys, config);
}

/**
 * Returns the keys in force, like `openKeys`, but changes nothing. `keys.json` must exist.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function readKeys(config: Config): Keys {
  const file = keysFile(config);
  const keys: unknown = reportFaults(file, () => JSON.parse(readFileSync(file, "utf8")));
  if (!isKeys(keys)) throw new CandorError("keys_unreadable", { file, why: "keys are missing in it" });
  return withSettings(keys, config);
}

function keysFile({ dataDir }: Config): string {
  return join(dataDir, "keys.json");
}

function withSettings({ writeKeys, adminToken }: Keys, config: Config): Keys {
  return { writeKeys: { ...writeKeys, ...config.writeKeys }, adminToken: config.adminToken ?? adminToken };
}

function makeKeys(random: (bytes: number) => Buffer): Keys {
  const make = (prefix: string): string => `${prefix}_${random(KEY_RANDOM_BYTES).toString("base64url")}`;
  return {
    writeKeys: { installer: make("installer"), server: make("server"), client: make("client") },
    adminToken: make("admin"),
  };
}

/** Turns an error about the file of keys into a CandorError. */
function reportFaults<Result>(file: string, task: () => Result): Result {
  try {
    return task();
  } catch (error) {
    const cause = error instanceof SyntaxError ? "not JSON" : causeOf(error);
    if (cause === "EACCES" || cause === "EPERM")
      throw new CandorError("data_folder_unwritable", { folder: file, cause }, error);
    throw new CandorError("keys_unreadable", { file, why: cause }, error);
  }
}

function isKeys(value: unknown): value is Keys {
  if (typeof value !== "object" || value === null || !("writeKeys" in value) || !("adminToken" in value))
    return false;
  const { writeKeys, adminToken } = value;
  if (typeof writeKeys !== "object" || writeKeys === null || typeof adminToken !== "string") return false;
  return SOURCES.every(
    (source) => typeof Object.entries(writeKeys).find(([name]) => name === source)?.[1] === "string",
  );
}

/**
 * Creates a function that returns the name of the secret that equals a text; undefined if none does. Its
 * running time does not reveal how much of a text is right, because it compares every secret in constant
 * time. It compares SHA-256 digests, because timingSafeEqual requires equal lengths.
 */
export function createMatcher<Name extends string>(
  secrets: Readonly<Record<Name, string>>,
): (candidate: string) => Name | undefined {
  const digests = (Object.keys(secrets) as Name[]).map((name) => ({ name, digest: digestOf(secrets[name]) }));
  return (candidate) => {
    const digest = digestOf(candidate);
    let match: Name | undefined;
    for (const secret of digests) if (timingSafeEqual(secret.digest, digest)) match = secret.name;
    return match;
  };
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
