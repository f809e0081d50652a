/**
 * Decides under which host names the inspector answers. Another site can make its own name point at the product's address (DNS
 * rebinding). To a browser its page is then of the same origin: it could read every message and turn the switch. But `Host`
 * still has that site's name.
 */

import { isIP } from "node:net";

/** Whether a request may be answered. One without `Host` may: every browser sends it. @param hosts the product's own names */
export function isKnownHost(host: string | undefined, hosts: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = toHostName(host);
  if (name === undefined) return false;
  const isLoopback = name === "localhost" || name.endsWith(".localhost");
  return isLoopback || isIP(name) !== 0 || hosts.some((known) => toHostName(known) === name);
}

/** The host without its port, in lower case; an IPv6 address without brackets. Undefined: it is not a host. */
function toHostName(host: string): string | undefined {
  if (!/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
