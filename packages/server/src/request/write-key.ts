/** Attributes the messages of a request to sources, by their write keys. */
import type { IncomingMessage } from "node:http";
import { isObject, type JsonObject } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError } from "../errors.ts";

export type SourceOfKey = (writeKey: string) => Source | undefined;

/** Which sources the messages of a request belong to. */
export interface Attribution {
  /** The source of the request's own write key. Undefined if that key is unknown or missing. */
  readonly bringer: Source | undefined;
  /**
   * Returns the source of a message; undefined if its write key, or the request's if it has none, is unknown.
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
 * writeKey (even if there is a Bearer token). In a batch, a message with a write key of its own belongs to
 * that key's source, or to no source if that key is unknown. All other messages belong to the request's
 * source. The header of a known key is remembered, so that later requests with it are not decoded again.
 * @throws CandorError `write_key_unknown` if neither the request nor any of its messages has a known key
 */
export function createAttribution(sourceOfKey: SourceOfKey): {
  one(request: IncomingMessage, message: JsonObject): Attribution;
  batch(request: IncomingMessage, body: JsonObject, items: readonly unknown[]): Attribution;
} {
  const sourceOfHeader = rememberKnown((header) => {
    const user = basicUser(header);
    return user === undefined ? undefined : sourceOfKey(user);
  });
  const bringerOf = (request: IncomingMessage, body: JsonObject): Source | undefined => {
    const { authorization } = request.headers;
    return (
      (authorization === undefined ? undefined : sourceOfHeader(authorization)) ??
      sourceOfWriteKey(body, sourceOfKey)
    );
  };
  return {
    one: (request, message) => {
      const bringer = bringerOf(request, message);
      if (bringer === undefined) throw new CandorError("write_key_unknown");
      return ATTRIBUTED_TO[bringer];
    },
    batch: (request, body, items) => {
      const bringer = bringerOf(request, body);
      if (bringer === undefined && !items.some((item) => sourceOfWriteKey(item, sourceOfKey) !== undefined))
        throw new CandorError("write_key_unknown");
      return attributeItems(bringer, sourceOfKey);
    },
  };
}

/** The attributions of single messages, which always belong to the request's source. */
const ATTRIBUTED_TO: Readonly<Record<Source, Attribution>> = {
  installer: attributionTo("installer"),
  server: attributionTo("server"),
  client: attributionTo("client"),
};

function attributionTo(source: Source): Attribution {
  return { bringer: source, sourceOf: () => source, common: () => source };
}

function attributeItems(bringer: Source | undefined, sourceOfKey: SourceOfKey): Attribution {
  let common = bringer;
  let last: { readonly key: string; readonly source: Source | undefined } | undefined;
  return {
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

function rememberKnown(find: (header: string) => Source | undefined): typeof find {
  const known = new Map<string, Source>();
  return (header) => {
    const remembered = known.get(header);
    if (remembered !== undefined) return remembered;
    const source = find(header);
    if (source === undefined) return undefined;
    if (known.size >= MAX_KNOWN_HEADERS) known.clear();
    known.set(header, source);
    return source;
  };
}

function sourceOfWriteKey(value: unknown, sourceOfKey: SourceOfKey): Source | undefined {
  return isObject(value) && typeof value.writeKey === "string" ? sourceOfKey(value.writeKey) : undefined;
}

function basicUser(authorization: string): string | undefined {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(authorization)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
