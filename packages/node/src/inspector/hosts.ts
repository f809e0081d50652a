/**
 * By which names the inspector may be reached. A site that has its own name point at the product's address (DNS rebinding) is of
 * the same origin for a browser: its page could read every message and turn the switch. But its name stands in `Host`.
 */

import { isIP } from "node:net";

/** Whether a request may be answered. No browser leaves `Host` out. @param hosts the product's own names */
export function isKnownHost(host: string | undefined, hosts: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = toHostName(host);
  if (name === undefined) return false;
  const isLoopback = name === "localhost" || name.endsWith(".localhost");
  return isLoopback || isIP(name) !== 0 || hosts.some((known) => toHostName(known) === name);
}

/** Without its port, in lower case; an IPv6 address without brackets. Undefined: it is no host. */
function toHostName(host: string): string | undefined {
  if (!/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
