import type { IncomingMessage } from "node:http";
import { isObject, type JsonObject } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError } from "../errors.ts";

export type SourceOfKey = (writeKey: string) => Source | undefined;

/** Tells the source of each message of a request. */
export interface Attribution {
  /** Undefined: the key of this message is not known. */
  readonly sourceOf: (message: unknown) => Source | undefined;
  /** The source of all that were told so far; undefined once one of them had a key of its own. */
  readonly common: () => Source | undefined;
}

/**
 * Finds the source of a request by its write key: the user name of HTTP Basic (with or without the colon), or the body's
 * writeKey (also beside a Bearer token). Undefined when only some of its messages carry a key that is known.
 * @throws CandorError `write_key_unknown` when none of them is known
 */
export function findSource(
  request: IncomingMessage,
  body: JsonObject,
  items: readonly unknown[],
  sourceOfKey: SourceOfKey,
): Source | undefined {
  const basic = basicUser(request.headers.authorization);
  const source =
    (basic === undefined ? undefined : sourceOfKey(basic)) ?? sourceOfWriteKey(body, sourceOfKey);
  if (source !== undefined) return source;
  if (items.some((item) => sourceOfWriteKey(item, sourceOfKey) !== undefined)) return undefined;
  throw new CandorError("write_key_unknown");
}

/** A message that is a request by itself has the request's source. */
export function attributeOne(source: Source | undefined): Attribution {
  return { sourceOf: () => source, common: () => source };
}

/** An item of a batch has the source of its own write key where it has one, known or not, and else the request's. */
export function attributeItems(source: Source | undefined, sourceOfKey: SourceOfKey): Attribution {
  let common = source;
  let last: { readonly key: string; readonly source: Source | undefined } | undefined;
  return {
    sourceOf: (item) => {
      const key = isObject(item) ? item.writeKey : undefined;
      if (typeof key !== "string" || key === "") return source;
      common = undefined;
      if (key !== last?.key) last = { key, source: sourceOfKey(key) }; // items in a row have the same key, as a rule
      return last.source;
    },
    common: () => common,
  };
}

function sourceOfWriteKey(value: unknown, sourceOfKey: SourceOfKey): Source | undefined {
  return isObject(value) && typeof value.writeKey === "string" ? sourceOfKey(value.writeKey) : undefined;
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
