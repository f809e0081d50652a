/**
 * Reads a request to the gateway: its route, the URL at which browsers reach the gateway, and its body, which
 * the product's own parser may already have read.
 */
import { isUint8Array } from "node:util/types";
import {
  API_PREFIX,
  browserSettings,
  createRequestReader,
  findWireRoute,
  type RequestBody,
  splitUrl,
  type WireRoute,
  methodsOf as wireMethodsOf,
} from "@candor/envelope/http";
import type { Clock } from "../clock.ts";
import { isBodyRead, type ParsedRequest } from "../incoming-request.ts";
import { GatewayFault } from "./answer.ts";

/**
 * The maximum total size of all bodies that are being read at the same moment: slow uploads must not fill the
 * product's memory.
 */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/**
 * How deep a body may nest: far deeper than any message may. A body full of brackets must not block the
 * product's other requests.
 */
const MAX_BODY_LEVELS = 200;

/** A request of node:http, with what frameworks add to it. */
export interface GatewayRequest extends ParsedRequest {
  /** The URL before the framework removed the mount path. */
  readonly originalUrl?: string;
}

/** A route of Segment's HTTP API, or one of the gateway's own. */
export type GatewayRoute = WireRoute | { readonly kind: "consent" } | { readonly kind: "plan" };

const OWN_ROUTES: ReadonlyMap<string, GatewayRoute> = new Map([
  ["/v1/consent", { kind: "consent" }],
  ["/v1/plan", { kind: "plan" }],
]);

/** The methods that a route accepts. */
export function methodsOf({ kind }: GatewayRoute): readonly string[] {
  if (kind === "consent") return ["GET", "HEAD", "POST"];
  return kind === "plan" ? ["GET", "HEAD"] : wireMethodsOf({ kind });
}

/**
 * Finds a URL's route; undefined if the URL does not belong to the gateway. The route begins at the last
 * `/v1/`, so it does not matter whether the framework has removed the mount path.
 */
export function findRoute(url: string): GatewayRoute | undefined {
  const [path] = splitUrl(url);
  const at = path.lastIndexOf(API_PREFIX);
  if (at < 0) return undefined;
  const own = path.slice(at).replace(/\/$/, "");
  return OWN_ROUTES.get(own) ?? findWireRoute(path.slice(at));
}

/** What precedes the last `/v1/` in the path of a URL; empty if there is none. */
function prefixOf(url: string): string {
  const [path] = splitUrl(url);
  return path.slice(0, Math.max(0, path.lastIndexOf(API_PREFIX)));
}

/**
 * Creates a function that reads a request's body, even if the product's own parser has read it already. It
 * rejects with a GatewayFault: a code of WIRE_ERRORS, or `too_many_requests` if too much is already being
 * read.
 */
export function createBodyReader(clock: Clock): (request: GatewayRequest) => Promise<RequestBody> {
  const reader = createRequestReader({
    maxHeldBytes: MAX_HELD_BYTES,
    maxLevels: MAX_BODY_LEVELS,
    later: clock.later,
    toError: (code, details) =>
      code === "overloaded" ? new GatewayFault("too_many_requests") : new GatewayFault(code, details),
  });
  return async (request) => {
    if (!isBodyRead(request)) return reader.read(request);
    const { body } = request;
    if (typeof body === "string") return reader.decode(Buffer.from(body));
    if (isUint8Array(body)) return reader.decode(Buffer.from(body));
    if (body === undefined) throw new GatewayFault("body_unreadable", { why: "it was read before" });
    return reader.check(body);
  };
}

/** A path prefix of plain characters, which a proxy may strip. */
const PREFIX = /^(?:\/[\w.~-]{1,100}){1,10}$/;

export interface ClientSettingsOptions {
  /** The write key that the client sent. */
  readonly apiKey: string;
  /** Whether anything that this client sends would be kept. */
  readonly isAllowed: boolean;
  /** Where browsers find the gateway, such as `/red/telemetry`; undefined to derive it from the request. */
  readonly publicPath: string | undefined;
}

/** The settings that analytics-next loads first, as JSON. */
export function clientSettings(request: GatewayRequest, options: ClientSettingsOptions): string {
  const { apiKey, isAllowed, publicPath } = options;
  const { protocol, host } = addressOf(request);
  return browserSettings({
    apiKey,
    protocol,
    apiHost: `${host}${mountOf(request, publicPath)}/v1`,
    isAllowed,
  });
}

/**
 * The path at which browsers reach the gateway. A proxy that strips a prefix names it in
 * `X-Forwarded-Prefix`. A false prefix harms nobody else: only the client that sent it gets this answer.
 * @param publicPath the path that the product passed; undefined to derive it from the request
 */
export function mountOf(
  { headers, originalUrl, url = "" }: GatewayRequest,
  publicPath: string | undefined,
): string {
  if (publicPath !== undefined) return publicPath;
  const prefix = (String(headers["x-forwarded-prefix"] ?? "").split(",")[0] ?? "").trim().replace(/\/$/, "");
  return `${PREFIX.test(prefix) ? prefix : ""}${prefixOf(originalUrl ?? url)}`;
}

/**
 * The origin under which the browser knows this gateway. The requesting page has the same origin, so the
 * origin is read from `Referer`; `Host`, which a reverse proxy often replaces, is used only without a
 * `Referer`. Only the client itself gets the answer, so its headers may be trusted here.
 */
function addressOf({ headers, socket }: GatewayRequest): { protocol: "http" | "https"; host: string } {
  const { referer = "", host = "localhost" } = headers;
  const page = URL.canParse(referer) ? new URL(referer) : undefined;
  if (page?.protocol === "https:") return { protocol: "https", host: page.host };
  if (page?.protocol === "http:") return { protocol: "http", host: page.host };
  const isSecure = "encrypted" in socket || headers["x-forwarded-proto"] === "https";
  return { protocol: isSecure ? "https" : "http", host };
}
