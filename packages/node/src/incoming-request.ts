/** Tells whether a page of the product's own origin sent a request, and whether its body was already read. */
import type { IncomingMessage } from "node:http";

/**
 * Where a request comes from. `here`: a page of the product's own origin, or the browser's address bar.
 * `elsewhere`: a page of another origin. `unsaid`: the headers do not say, as from a program or an older
 * browser. No page can set `Sec-Fetch-Site` or `Origin`. Browsers omit `Sec-Fetch-Site` if the product is
 * reached without TLS, and send `Origin` with each POST.
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 * @see https://fetch.spec.whatwg.org/#origin-header
 */
export function siteOf({ headers }: IncomingMessage): "here" | "elsewhere" | "unsaid" {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" || site === "none" ? "here" : "elsewhere";
  const { origin, host } = headers;
  if (origin === undefined) return "unsaid";
  if (!URL.canParse(origin)) return "elsewhere";
  // A proxy may send a different host name from the one that the browser used.
  const names = [host, headers["x-forwarded-host"]];
  return names.includes(new URL(origin).host) ? "here" : "elsewhere";
}

/** A request of node:http, and what a framework's middleware adds to it. */
export interface ParsedRequest extends IncomingMessage {
  /** The body as an earlier middleware parsed it: an object, a text, or bytes. */
  readonly body?: unknown;
}

/**
 * Whether the body has already been read, so that it is available only as `request.body`. Until then
 * `request.body` means nothing: Express 4's parsers set it to an empty object for other content types.
 */
export function isBodyRead(request: IncomingMessage): boolean {
  return request.readableDidRead || request.readableEnded;
}
