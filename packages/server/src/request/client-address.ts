import type { IncomingMessage } from "node:http";
import { type BlockList, isIP } from "node:net";

/**
 * The address of the client: the peer's own, or, where the peer is a proxy that the operator trusts, the last address
 * of X-Forwarded-For that is not one. What an untrusted peer writes there is not believed.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: BlockList): string | undefined {
  let address = plainAddress(request.socket.remoteAddress);
  const header = request.headers["x-forwarded-for"];
  if (typeof header !== "string") return address;
  const hops = header.split(",");
  while (address !== undefined && isTrusted(address, trustedProxies)) {
    const hop = plainAddress(hops.pop()?.trim());
    if (hop === undefined) break;
    address = hop;
  }
  return address;
}

/** `https` where a trusted proxy says that it was asked so; this server itself speaks plain HTTP. */
export function clientProtocol(request: IncomingMessage, trustedProxies: BlockList): "http" | "https" {
  const peer = plainAddress(request.socket.remoteAddress);
  const isHttps = request.headers["x-forwarded-proto"] === "https";
  return isHttps && peer !== undefined && isTrusted(peer, trustedProxies) ? "https" : "http";
}

function isTrusted(address: string, trustedProxies: BlockList): boolean {
  return trustedProxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** An IPv4 address in its IPv6 clothes becomes itself; what is no address is undefined. */
function plainAddress(text: string | undefined): string | undefined {
  const address = text?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}
