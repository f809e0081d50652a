/**
 * Finds the client of a request, and the public address at which it reached this server, also behind trusted
 * proxies.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type BlockList, isIP } from "node:net";
import forwardedParse from "forwarded-parse";

/** The client of a request, as far as the connection and the trusted proxies reveal it. */
export interface Client {
  /**
   * Undefined if unknown. Never the address of the trusted proxy that sent the request, because that would be
   * mistaken for a person's address.
   */
  readonly address: string | undefined;
  /**
   * Distinguishes this client for rate limits: its address, or the name that a proxy used instead of the
   * address.
   */
  readonly name: string | undefined;
}

/** The parts of a request that identify its client. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

const NOBODY: Client = { address: undefined, name: undefined };

/**
 * Finds the client of a request. This is the peer, unless the peer is a proxy that the operator trusts. Then
 * it is the last address in X-Forwarded-For or Forwarded (RFC 7239) that does not belong to a trusted proxy,
 * or else the first one; without these headers, the client is unknown. The headers are ignored if they come
 * from an untrusted peer. A proxy that writes only one of the two headers forwards the other one as the
 * client sent it. So if the two headers name different clients, the client is unknown.
 */
export function findClient({ headers, socket }: Asked, trustedProxies: BlockList): Client {
  const { peer, isProxy } = peerOf(socket, trustedProxies);
  if (!isProxy) return peer;
  const { forwarded, "x-forwarded-for": list } = headers;
  const ofList = list === undefined ? undefined : lastUntrusted(String(list).split(","), trustedProxies);
  if (forwarded === undefined) return ofList ?? NOBODY;
  const nodes = readForwarded(forwarded).map((hop) => hop.for ?? "");
  const ofForwarded = lastUntrusted(nodes, trustedProxies);
  return ofList === undefined || ofList.address === ofForwarded.address ? ofForwarded : NOBODY;
}

interface Peer {
  readonly peer: Client;
  readonly isProxy: boolean;
}

/** Remembers each connection's peer: a connection carries many requests, and its peer never changes. */
const peers = new WeakMap<Asked["socket"], Peer>();

function peerOf(socket: Asked["socket"], trustedProxies: BlockList): Peer {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const peer = readNode(socket.remoteAddress ?? "");
  const read = { peer, isProxy: isTrusted(peer, trustedProxies) };
  peers.set(socket, read);
  return read;
}

/** Returns the client's address; undefined if unknown. */
export function clientAddress(request: Asked, trustedProxies: BlockList): string | undefined {
  return findClient(request, trustedProxies).address;
}

/** Whether the peer is a proxy that the operator trusts. */
export function isFromProxy({ socket }: Asked, trustedProxies: BlockList): boolean {
  return peerOf(socket, trustedProxies).isProxy;
}

/**
 * The address at which the client reached this server. The server itself speaks plain HTTP and has no path
 * prefix.
 */
export interface PublicAddress {
  readonly protocol: "http" | "https";
  readonly host: string;
  /** A path such as `/telemetry`, or empty. */
  readonly prefix: string;
}

/** A host with or without a port; an IPv6 address in brackets. */
const HOST = /^[\w.:[\]-]{1,255}$/;
const PREFIX = /^(?:\/(?!\.+(?:\/|$))[\w.~-]+){1,16}$/;

/**
 * Returns the address that the client used. If there are several proxies, the outermost one counts, because
 * the client connected to that one; the path prefixes of all are joined. Of an untrusted peer's headers, only
 * Host counts. A value that is not a valid host or path is ignored, whoever sends it.
 */
export function publicAddress({ headers, socket }: Asked, trustedProxies: BlockList): PublicAddress {
  const told = peerOf(socket, trustedProxies).isProxy ? headers : {};
  const [hop] = readForwarded(told.forwarded ?? "");
  const protocol = hop?.proto ?? listOf(told["x-forwarded-proto"])[0];
  const hosts = [hop?.host, listOf(told["x-forwarded-host"])[0], headers.host];
  const prefix = listOf(told["x-forwarded-prefix"])
    .map((part) => part.replace(/\/$/, ""))
    .join("");
  return {
    protocol: protocol?.toLowerCase() === "https" ? "https" : "http",
    host: hosts.find((host) => host !== undefined && HOST.test(host)) ?? "localhost",
    prefix: PREFIX.test(prefix) ? prefix : "",
  };
}

function listOf(header: string | readonly string[] | undefined): readonly string[] {
  return header === undefined
    ? []
    : String(header)
        .split(",")
        .map((part) => part.trim());
}

type Hop = Readonly<Record<string, string | undefined>>;

/** Returns no hops for a header that violates the grammar, because it is unclear where its parts end. */
function readForwarded(header: string): readonly Hop[] {
  try {
    return header === "" ? [] : forwardedParse(header);
  } catch {
    return [];
  }
}

/**
 * Finds the last hop that is not a trusted proxy. The first hop is a client by definition, even if its
 * network is trusted too.
 */
function lastUntrusted(hops: readonly string[], trustedProxies: BlockList): Client {
  for (let at = hops.length - 1; at >= 0; at--) {
    const client = readNode(hops[at] ?? "");
    if (at === 0 || !isTrusted(client, trustedProxies)) return client;
  }
  return NOBODY;
}

function isTrusted({ address }: Client, trustedProxies: BlockList): boolean {
  return address !== undefined && trustedProxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/**
 * An address or name without quotes, optionally with a port: `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`,
 * `[2001:db8::1]:5`, `_hidden:5`. A port may also be a name.
 */
const NODE =
  /^(?:(?<ipv4>[\d.]+)(?::[\w.-]+)?|\[(?<bracketed>[^\]]+)\](?::[\w.-]+)?|(?<ipv6>[\da-fA-F]*:[\da-fA-F:.]+(?:%[\w.-]+)?)|(?<obfuscated>_[\w.-]{1,63})(?::[\w.-]+)?)$/;

/** Parses one node of Forwarded (RFC 7239, section 6) or of X-Forwarded-For, quoted or not. */
function readNode(text: string): Client {
  const trimmed = text.trim().replace(/^"(.*)"$/, "$1");
  const { ipv4, bracketed, ipv6, obfuscated } = NODE.exec(trimmed)?.groups ?? {};
  if (obfuscated !== undefined) return { address: undefined, name: obfuscated };
  const address = toPlain(ipv4 ?? bracketed ?? ipv6 ?? "");
  return isIP(address) === 0 ? NOBODY : { address, name: address };
}

/** Removes the zone, and writes an IPv4-mapped IPv6 address as IPv4. */
function toPlain(address: string): string {
  const [bare = ""] = address.split("%", 1);
  const [, dotted] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare) ?? [];
  if (dotted !== undefined) return dotted;
  if (!/:ffff:/i.test(bare) || !URL.canParse(`http://[${bare}]`)) return bare;
  const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(new URL(`http://[${bare}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return bare;
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join(".");
}
