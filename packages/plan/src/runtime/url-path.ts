/** Reduces a URL to its path. */

/**
 * Matches an absolute path for which no URL parser is needed. A parser would read `//` at the start as the
 * beginning of a host, remove tabs and line ends, and read \ as /.
 */
const PLAIN_PATH = /^\/(?![/\\])[^\t\n\r\\]*$/;
const BASE = "http://relative.invalid";

/**
 * Returns the path of an http(s), protocol-relative or relative URL, without origin, user, query, fragment
 * and `;params`. Undefined if the URL has another scheme (`file:`, `data:`, `android-app:`) or cannot be
 * parsed. An empty text stays empty.
 */
export function toPath(url: string): string | undefined {
  if (url === "") return "";
  const path = PLAIN_PATH.test(url) ? url.replace(/[?#].*$/s, "") : parsePath(url);
  return path?.replace(/(?:;|%3b)[^/]*/gi, "").replace(/^\/{2,}/, "/"); // a URL parser would read `//x` as a host
}

function parsePath(url: string): string | undefined {
  try {
    const { protocol, pathname } = new URL(url, BASE);
    return protocol === "http:" || protocol === "https:" ? pathname : undefined;
  } catch {
    return undefined;
  }
}
