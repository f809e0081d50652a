/**
 * Maps the paths of Segment's HTTP Tracking API, which collectors and gateways share, to routes, and routes
 * to methods.
 */
import { MESSAGE_TYPES, type MessageType } from "./message.ts";

/**
 * What a path is for. `type` is the message type that the path implies for a single message. It is undefined
 * for the paths of batches, where each message names its own type.
 */
export type WireRoute =
  | { readonly kind: "messages"; readonly type: MessageType | undefined }
  | { readonly kind: "settings"; readonly writeKey: string }
  | { readonly kind: "client_metrics" };

export const API_PREFIX = "/v1/";

/** Maps each type, and its first letter, to the type. */
const TYPES: ReadonlyMap<string, MessageType> = new Map(
  MESSAGE_TYPES.flatMap((type) => [
    [type, type],
    [type.charAt(0), type],
  ]),
);
const BATCHES = ["batch", "import", "b"];

/** The routes of nearly all requests, by path in its usual spelling. */
const MESSAGE_ROUTES: ReadonlyMap<string, WireRoute> = new Map(
  [...TYPES.keys(), ...BATCHES].map((name) => [
    `${API_PREFIX}${name}`,
    { kind: "messages", type: TYPES.get(name) },
  ]),
);

/** The message type that a part of a path names, such as `track` or `t`; undefined if it names none. */
export function toMessageType(name: string): MessageType | undefined {
  return TYPES.get(name);
}

/**
 * Finds a path's route; undefined if there is none. A trailing slash makes no difference (analytics-java
 * posts to `/v1/import/`). Nothing is redirected, because clients turn a redirected POST into a GET and
 * mistake its answer for success.
 * @param path begins with `/v1/`, without the query
 */
export function findWireRoute(path: string): WireRoute | undefined {
  return MESSAGE_ROUTES.get(path) ?? parseRoute(path.endsWith("/") ? path.slice(0, -1) : path);
}

function parseRoute(path: string): WireRoute | undefined {
  const [name, key, end, ...more] = path.slice(API_PREFIX.length).split("/");
  if (key === undefined) return name === "m" ? { kind: "client_metrics" } : MESSAGE_ROUTES.get(path);
  const isSettings = name === "projects" && end === "settings" && more.length === 0;
  return isSettings ? { kind: "settings", writeKey: safeDecode(key) } : undefined;
}

/** The methods of a route, with the main method first. */
export function methodsOf({ kind }: { readonly kind: string }): readonly string[] {
  return kind === "pixel" || kind === "settings" ? ["GET", "HEAD"] : ["POST"];
}

/** Splits a URL at its first "?", because the query may contain further ones. */
export function splitUrl(url: string): [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
