/** Attributes the messages of a request to a product and its sources, by their write keys. */
import type { IncomingMessage } from "node:http";
import { isObject, type JsonObject } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError } from "../errors.ts";

/** The product and the source to which a write key belongs. */
export interface KeyOwner {
  readonly product: string;
  readonly source: Source;
}

export type OwnerOfKey = (writeKey: string) => KeyOwner | undefined;

/** To which product and which sources the messages of a request belong. */
export interface Attribution {
  /** The product of all its messages. */
  readonly product: string;
  /** The source of the request's own write key. Undefined if that key is unknown or missing. */
  readonly bringer: Source | undefined;
  /**
   * Returns the source of a message; undefined if its write key, or the request's if it has none, is unknown or of
   * another product.
   */
  readonly sourceOf: (message: unknown) => Source | undefined;
  /**
   * The source shared by all messages passed to `sourceOf` so far; undefined once a message had its own write
   * key.
   */
  readonly common: () => Source | undefined;
}

/** The number of remembered headers is limited, because the same key can be written in many ways. */
const MAX_KNOWN_HEADERS = 64;

/**
 * Attributes a request by the user name of HTTP Basic (with or without the colon), or else by the body's
 * writeKey (even if there is a Bearer token), or else by the first message of a batch whose write key is known. In
 * a batch, a message with a write key of its own belongs to that key's source, or to no source if that key is
 * unknown or of another product. All other messages belong to the request's source. The header of a known key is
 * remembered, so that later requests with it are not decoded again.
 * @throws CandorError `write_key_unknown` if neither the request nor any of its messages has a known key
 */
export function createAttribution(ownerOfKey: OwnerOfKey): {
  one(request: IncomingMessage, message: JsonObject): Attribution;
  batch(request: IncomingMessage, body: JsonObject, items: readonly unknown[]): Attribution;
} {
  const ownerOfHeader = rememberKnown((header) => {
    const user = basicUser(header);
    return user === undefined ? undefined : ownerOfKey(user);
  });
  const bringerOf = (request: IncomingMessage, body: JsonObject): KeyOwner | undefined => {
    const { authorization } = request.headers;
    return (
      (authorization === undefined ? undefined : ownerOfHeader(authorization)) ??
      ownerOfWriteKey(body, ownerOfKey)
    );
  };
  return {
    one: (request, message) => {
      const bringer = bringerOf(request, message);
      if (bringer === undefined) throw new CandorError("write_key_unknown");
      const { product, source } = bringer;
      return { product, bringer: source, sourceOf: () => source, common: () => source };
    },
    batch: (request, body, items) => {
      const bringer = bringerOf(request, body);
      const product = bringer?.product ?? productOfItems(items, ownerOfKey);
      if (product === undefined) throw new CandorError("write_key_unknown");
      return attributeItems(product, bringer?.source, ownerOfKey);
    },
  };
}

function productOfItems(items: readonly unknown[], ownerOfKey: OwnerOfKey): string | undefined {
  for (const item of items) {
    const owner = ownerOfWriteKey(item, ownerOfKey);
    if (owner !== undefined) return owner.product;
  }
  return undefined;
}

function attributeItems(product: string, bringer: Source | undefined, ownerOfKey: OwnerOfKey): Attribution {
  let common = bringer;
  let last: { readonly key: string; readonly source: Source | undefined } | undefined;
  const sourceOfKey = (key: string): Source | undefined => {
    const owner = ownerOfKey(key);
    return owner?.product === product ? owner.source : undefined;
  };
  return {
    product,
    bringer,
    sourceOf: (item) => {
      const key = isObject(item) ? item.writeKey : undefined;
      if (typeof key !== "string" || key === "") return bringer;
      common = undefined;
      // Consecutive messages usually have the same key.
      if (key !== last?.key) last = { key, source: sourceOfKey(key) };
      return last.source;
    },
    common: () => common,
  };
}

function rememberKnown(find: (header: string) => KeyOwner | undefined): typeof find {
  const known = new Map<string, KeyOwner>();
  return (header) => {
    const remembered = known.get(header);
    if (remembered !== undefined) return remembered;
    const owner = find(header);
    if (owner === undefined) return undefined;
    if (known.size >= MAX_KNOWN_HEADERS) known.clear();
    known.set(header, owner);
    return owner;
  };
}

function ownerOfWriteKey(value: unknown, ownerOfKey: OwnerOfKey): KeyOwner | undefined {
  return isObject(value) && typeof value.writeKey === "string" ? ownerOfKey(value.writeKey) : undefined;
}

function basicUser(authorization: string): string | undefined {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(authorization)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
