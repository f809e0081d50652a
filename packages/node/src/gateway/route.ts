import type { MessageType } from "@candor/envelope/wire";

/** What an address below the gateway's mount is for. */
export type GatewayRoute =
  /** `type`: the path's, of a single message; undefined: the body's own, or a batch. */
  | { readonly kind: "messages"; readonly type: MessageType | undefined }
  | { readonly kind: "settings"; readonly writeKey: string }
  | { readonly kind: "client_metrics" };

/** An alias is taken as one, to be told that no plan of an SDK holds it. */
const TYPES: ReadonlyMap<string, MessageType | undefined> = new Map([
  ["track", "track"],
  ["identify", "identify"],
  ["page", "page"],
  ["screen", "screen"],
  ["group", "group"],
  ["alias", "alias"],
  ["t", "track"],
  ["i", "identify"],
  ["p", "page"],
  ["s", "screen"],
  ["g", "group"],
  ["a", "alias"],
  ["batch", undefined],
  ["b", undefined],
]);
const API = "/v1/";

/**
 * Tells an address's route; undefined for what is not the gateway's. The last `/v1/` begins it, so that it does not matter
 * whether the framework takes the mount off before. A trailing slash is the same address; nothing is redirected, because
 * a client would turn its POST into a GET and take that for success.
 */
export function findRoute(url: string): GatewayRoute | undefined {
  const path = pathOf(url).replace(/\/$/, "");
  const at = path.lastIndexOf(API);
  if (at < 0) return undefined;
  const [name = "", key, end, ...more] = path.slice(at + API.length).split("/");
  if (key === undefined) {
    if (TYPES.has(name)) return { kind: "messages", type: TYPES.get(name) };
    return name === "m" ? { kind: "client_metrics" } : undefined;
  }
  const isSettings = name === "projects" && end === "settings" && more.length === 0;
  return isSettings ? { kind: "settings", writeKey: decode(key) } : undefined;
}

/** What stands before `/v1/` in an address that has it: where the product mounted the gateway. */
export function mountOf(url: string): string {
  const path = pathOf(url);
  return path.slice(0, Math.max(0, path.lastIndexOf(API)));
}

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
