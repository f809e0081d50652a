import type { IncomingMessage } from "node:http";
import { isObject, type JsonObject } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError } from "../errors.ts";

export type SourceOfKey = (writeKey: string) => Source | undefined;

/**
 * Finds the source of a request by its write key: the user name of HTTP Basic (with or without the colon), the body's
 * writeKey (also beside a Bearer token), or the keys of the messages, each for itself (undefined).
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

function sourceOfWriteKey(value: unknown, sourceOfKey: SourceOfKey): Source | undefined {
  return isObject(value) && typeof value.writeKey === "string" ? sourceOfKey(value.writeKey) : undefined;
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
