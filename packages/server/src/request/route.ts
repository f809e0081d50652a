import type { MessageType } from "@candor/envelope";
import { INSTANCE_ACTIONS, type InstanceAction } from "@candor/envelope/instance-proof";

/** What a path of the ingest API is for. */
export type IngestRoute =
  | { readonly kind: "messages"; readonly type: MessageType | undefined }
  | { readonly kind: "pixel"; readonly type: MessageType | undefined }
  | { readonly kind: "settings"; readonly writeKey: string }
  | { readonly kind: "instance"; readonly action: InstanceAction }
  | { readonly kind: "client_metrics" };

const INGEST_PREFIX = "/v1/";

export function isIngestPath(url: string): boolean {
  return url.startsWith(INGEST_PREFIX);
}

/**
 * Normalizes a request's target: removes the scheme and host that clients send to a server that they take for a proxy, and
 * collapses the double slash of a base address that ends in one. `host` is the host that was removed.
 */
export function normalizeTarget(target: string): { readonly url: string; readonly host?: string } {
  if (target.startsWith("/") && !target.includes("//")) return { url: target };
  const [, host, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  const [path, query] = splitUrl(rest ?? target);
  const single = (rest === undefined ? path : `/${path}`).replace(/\/{2,}/g, "/");
  const url = query === "" ? single : `${single}?${query}`;
  return host === undefined ? { url } : { url, host };
}

/** An address's path and query. Only the first "?" parts them: a query may hold others. */
export function splitUrl(url: string): [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

const TYPES: { readonly [segment: string]: MessageType | undefined } = {
  track: "track",
  identify: "identify",
  page: "page",
  screen: "screen",
  group: "group",
  alias: "alias",
  t: "track",
  i: "identify",
  p: "page",
  s: "screen",
  g: "group",
  a: "alias",
};
const BATCHES = new Set(["batch", "import", "b"]);

/** The methods of each kind of route, the main one first. */
export function methodsOf({ kind }: IngestRoute): readonly string[] {
  return kind === "pixel" || kind === "settings" ? ["GET", "HEAD"] : ["POST"];
}

/**
 * Tells the path's route; undefined for what is not there. A trailing slash is the same path (analytics-java posts to
 * `/v1/import/`); nothing is ever redirected, because a client would turn its POST into a GET and take that for success.
 * @param path begins with `/v1/`, without query
 */
export function findRoute(path: string): IngestRoute | undefined {
  return MESSAGE_ROUTES.get(path) ?? parseRoute(path);
}

/** The usual spellings of the paths that nearly all requests have. */
const MESSAGE_ROUTES: ReadonlyMap<string, IngestRoute> = new Map(
  [...Object.keys(TYPES), ...BATCHES].map((name) => [
    `${INGEST_PREFIX}${name}`,
    { kind: "messages", type: TYPES[name] },
  ]),
);

function parseRoute(path: string): IngestRoute | undefined {
  const [name = "", second, third, ...more] = path.slice(INGEST_PREFIX.length).replace(/\/$/, "").split("/");
  if (more.length > 0) return undefined;
  if (second === undefined) {
    if (BATCHES.has(name)) return { kind: "messages", type: undefined };
    const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (type !== undefined) return { kind: "messages", type };
    return name === "m" ? { kind: "client_metrics" } : undefined;
  }
  if (name === "projects" && third === "settings") return { kind: "settings", writeKey: safeDecode(second) };
  const action = name === "instance" ? INSTANCE_ACTIONS.find((known) => known === second) : undefined;
  if (action !== undefined && third === undefined) return { kind: "instance", action };
  if (name !== "pixel" || third !== undefined) return undefined;
  return { kind: "pixel", type: Object.hasOwn(TYPES, second) ? TYPES[second] : undefined };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
