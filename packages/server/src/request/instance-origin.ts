/** Owns the addresses at which a collector is reached: a signed request is valid only at one of them. */
import type { IncomingMessage } from "node:http";
import type { BlockList } from "node:net";
import { isFromProxy } from "./client-address.ts";

export interface OriginOptions {
  /** The operator's setting; undefined to go by each request's headers. */
  readonly origins: readonly string[] | undefined;
  readonly trustedProxies: BlockList;
}

/**
 * The addresses at which a request may have reached this collector, as `URL.origin` writes them: those of the
 * setting, else of its Host, and of a trusted proxy's X-Forwarded-Host. Both schemes count: a proxy that terminates
 * TLS need not be trusted.
 */
export function originsOf(request: IncomingMessage, options: OriginOptions): ReadonlySet<string> {
  if (options.origins !== undefined) return new Set(options.origins);
  const { host } = request.headers;
  const forwarded = request.headers["x-forwarded-host"];
  const isBelieved = typeof forwarded === "string" && isFromProxy(request, options.trustedProxies);
  // Each proxy appends what it saw, so the trusted one wrote the last entry.
  const hosts = [host, isBelieved ? forwarded.split(",").at(-1)?.trim() : undefined];
  return new Set(hosts.flatMap((name) => (name === undefined ? [] : toOrigins(name))));
}

function toOrigins(host: string): readonly string[] {
  if (!/^[\w.:[\]-]{1,260}$/.test(host)) return [];
  const urls = [`http://${host}`, `https://${host}`];
  return urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
}
