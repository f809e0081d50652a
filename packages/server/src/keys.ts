/** Owns the write keys and the admin token. */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "@candor/envelope/unknown-value";
import { type ChosenKey, type Config, SOURCES, type Source } from "./config.ts";
import { CandorError, causeOf } from "./errors.ts";
import { writeFileDurably } from "./log/disk.ts";
import { readFirstProduct } from "./products.ts";
import type { KeyOwner, OwnerOfKey } from "./request/write-key.ts";

export type WriteKeys = Readonly<Record<Source, string>>;

/** The write keys of the products' sources, and the token of the read API. */
export interface Keys {
  /** The keys of the product whose data is directly in the data folder. */
  readonly writeKeys: WriteKeys;
  /** The keys of the other products, by name. Absent if there is only one product. */
  readonly products?: Readonly<Record<string, WriteKeys>>;
  readonly adminToken: string;
}

const KEY_RANDOM_BYTES = 18;

/**
 * Returns the write keys and the token in force. Each comes from the settings if it is set there, else from
 * `keys.json` in the data folder (mode 0600). Keys that are in neither are generated, and written to that file.
 * Keys from the settings are not written to it.
 * @param names of the products, that of the product directly in the data folder first
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`, `write_keys_invalid`
 */
export function openKeys(
  config: Config,
  names: readonly string[],
  random: (bytes: number) => Buffer = randomBytes,
): Keys {
  checkChosen(config.writeKeys, names);
  const file = keysFile(config);
  const [first = "", ...others] = names;
  const known = existsSync(file) ? readKeysFile(file) : undefined;
  if (known !== undefined) reportFaults(file, () => chmodSync(file, 0o600));
  const missing = others.filter((name) => known?.products?.[name] === undefined);
  if (known !== undefined && missing.length === 0) return withSettings(known, config, first);
  const { writeKeys, adminToken } = known ?? makeKeys(random);
  const products = { ...known?.products };
  for (const name of missing) products[name] = makeWriteKeys(random);
  const keys = { writeKeys, ...(others.length === 0 ? {} : { products }), adminToken };
  writeFileDurably(file, `${JSON.stringify(keys, null, 2)}\n`);
  return withSettings(keys, config, first);
}

/** @throws CandorError `write_keys_invalid` if a chosen key is for no product, or for one of several unnamed ones */
function checkChosen(chosen: readonly ChosenKey[], names: readonly string[]): void {
  const isKnown = ({ product }: ChosenKey): boolean =>
    product === undefined ? names.length === 1 : names.includes(product);
  if (!chosen.every(isKnown)) throw new CandorError("write_keys_invalid", { names: names.join(", ") });
}

/**
 * Returns the keys in force, like `openKeys`, but changes nothing. `keys.json` must exist.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function readKeys(config: Config): Keys {
  return withSettings(readKeysFile(keysFile(config)), config, readFirstProduct(config.dataDir));
}

/**
 * Returns the keys in force: those of the settings, and for the others those of keys.json. Undefined if there is
 * no keys.json and the settings do not have all keys of one product. Changes nothing.
 * @throws CandorError `keys_unreadable`, `data_folder_unwritable`
 */
export function findKeys(config: Config): Keys | undefined {
  const file = keysFile(config);
  if (reportFaults(file, () => isThere(file))) return readKeys(config);
  const { adminToken, writeKeys: chosen } = config;
  const keyOf = (source: Source): string | undefined => chosen.find((one) => one.source === source)?.key;
  const [installer, server, client] = [keyOf("installer"), keyOf("server"), keyOf("client")];
  if (adminToken === undefined || !installer || !server || !client) return undefined;
  return { writeKeys: { installer, server, client }, adminToken };
}

/**
 * Returns the write keys of a product; those of the product directly in the data folder if no name is given.
 * Undefined if there is no such product.
 */
export function writeKeysOf(keys: Keys, config: Config, product: string | undefined): WriteKeys | undefined {
  const isFirst = product === undefined || product === readFirstProduct(config.dataDir);
  return isFirst ? keys.writeKeys : keys.products?.[product];
}

function readKeysFile(file: string): Keys {
  const keys: unknown = reportFaults(file, () => JSON.parse(readFileSync(file, "utf8")));
  if (!isKeys(keys)) throw new CandorError("keys_unreadable", { file, why: "keys are missing in it" });
  return keys;
}

function keysFile({ dataDir }: Config): string {
  return join(dataDir, "keys.json");
}

function withSettings(keys: Keys, config: Config, first: string | undefined): Keys {
  const { writeKeys, products, adminToken } = keys;
  const chosenFor = (name: string | undefined): Partial<WriteKeys> => {
    const own = config.writeKeys.filter(
      ({ product }) => product === name || (product === undefined && name === first),
    );
    return Object.fromEntries(own.reverse().map(({ source, key }) => [source, key])); // the first one wins
  };
  return {
    writeKeys: { ...writeKeys, ...chosenFor(first) },
    ...(products === undefined
      ? {}
      : {
          products: Object.fromEntries(
            Object.entries(products).map(([name, own]) => [name, { ...own, ...chosenFor(name) }]),
          ),
        }),
    adminToken: config.adminToken ?? adminToken,
  };
}

function makeKeys(random: (bytes: number) => Buffer): Keys {
  return { writeKeys: makeWriteKeys(random), adminToken: makeKey("admin", random) };
}

function makeWriteKeys(random: (bytes: number) => Buffer): WriteKeys {
  const make = (source: Source): string => makeKey(source, random);
  return { installer: make("installer"), server: make("server"), client: make("client") };
}

function makeKey(prefix: string, random: (bytes: number) => Buffer): string {
  return `${prefix}_${random(KEY_RANDOM_BYTES).toString("base64url")}`;
}

/** Unlike `existsSync`, throws if the file may be there but cannot be reached. */
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (causeOf(error) === "ENOTDIR") return false;
    throw error;
  }
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
  if (!isRecord(value) || typeof value.adminToken !== "string" || !areWriteKeys(value.writeKeys))
    return false;
  return (
    value.products === undefined ||
    (isRecord(value.products) && Object.values(value.products).every(areWriteKeys))
  );
}

function areWriteKeys(value: unknown): value is WriteKeys {
  return isRecord(value) && SOURCES.every((source) => typeof value[source] === "string");
}

/**
 * Creates a function that returns the owner of the secret that equals a text; undefined if there is none. Its
 * running time does not reveal how much of a text is right, because it compares every secret in constant
 * time. It compares SHA-256 digests, because timingSafeEqual requires equal lengths.
 */
export function createMatcher<Owner>(
  secrets: readonly (readonly [owner: Owner, secret: string])[],
): (candidate: string) => Owner | undefined {
  const digests = secrets.map(([owner, secret]) => ({ owner, digest: digestOf(secret) }));
  return (candidate) => {
    const digest = digestOf(candidate);
    let match: Owner | undefined;
    for (const secret of digests) if (timingSafeEqual(secret.digest, digest)) match = secret.owner;
    return match;
  };
}

/**
 * Creates a function that returns the owner of a write key; undefined if the key is unknown.
 * @param names as of `openKeys`
 */
export function createKeyMatcher(
  { writeKeys, products = {} }: Keys,
  { writeKeys: chosen }: Config,
  names: readonly string[],
): OwnerOfKey {
  const [first = "", ...others] = names;
  const ownersOf = (product: string, keys: WriteKeys | undefined): (readonly [KeyOwner, string])[] =>
    keys === undefined ? [] : SOURCES.map((source) => [{ product, source }, keys[source]]);
  return createMatcher([
    ...ownersOf(first, writeKeys),
    ...others.flatMap((name) => ownersOf(name, products[name])),
    ...chosen.map(({ product = first, source, key }): readonly [KeyOwner, string] => [
      { product, source },
      key,
    ]),
  ]);
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
