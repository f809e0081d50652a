/** Owns the addresses of the Segment HTTP Tracking API that collectors and gateways have in common. */
import { MESSAGE_TYPES, type MessageType } from "./message.ts";

/** What an address is for. `type`: the path's, of a single message; undefined: the body's own, or a batch. */
export type WireRoute =
  | { readonly kind: "messages"; readonly type: MessageType | undefined }
  | { readonly kind: "settings"; readonly writeKey: string }
  | { readonly kind: "client_metrics" };

export const API_PREFIX = "/v1/";

/** Each type, and its first letter. */
const TYPES: ReadonlyMap<string, MessageType> = new Map(
  MESSAGE_TYPES.flatMap((type) => [
    [type, type],
    [type.charAt(0), type],
  ]),
);
const BATCHES = ["batch", "import", "b"];

/** The usual spellings of the paths that nearly all requests have. */
const MESSAGE_ROUTES: ReadonlyMap<string, WireRoute> = new Map(
  [...TYPES.keys(), ...BATCHES].map((name) => [
    `${API_PREFIX}${name}`,
    { kind: "messages", type: TYPES.get(name) },
  ]),
);

/** The type of messages that a part of a path names. */
export function toMessageType(name: string): MessageType | undefined {
  return TYPES.get(name);
}

/**
 * Tells a path's route; undefined for what is not there. A trailing slash is the same path (analytics-java posts to
 * `/v1/import/`); nothing is ever redirected, because a client would turn its POST into a GET and take that for success.
 * @param path begins with `/v1/`, without query
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

/** The methods of a route, the main one first. */
export function methodsOf({ kind }: { readonly kind: string }): readonly string[] {
  return kind === "pixel" || kind === "settings" ? ["GET", "HEAD"] : ["POST"];
}

/** An address's path and query. Only the first "?" parts them: a query may hold others. */
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
