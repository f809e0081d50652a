/** Finds a request's client behind trusted proxies. */
import type { IncomingHttpHeaders } from "node:http";
import { type BlockList, isIP } from "node:net";
import forwardedParse from "forwarded-parse";

/** The client, as far as the connection and the trusted proxies tell. */
export interface Client {
  /** Undefined if unknown. Never a proxy's address, which would be taken for a person's. */
  readonly address: string | undefined;
  /** Distinguishes this client for rate limits: its address, or the name that a proxy gave it instead. */
  readonly name: string | undefined;
}

/** The parts of a request that identify its client. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

const NOBODY: Client = { address: undefined, name: undefined };

/**
 * Finds the client: the peer, or, where the peer is a proxy that the operator trusts, the last address of X-Forwarded-For or
 * Forwarded (RFC 7239) that is not one. What an untrusted peer writes there is ignored. A proxy that writes one of the headers
 * passes on what a client puts into the other, so where the two differ the client is unknown.
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

/** A connection carries many requests, and its peer stays the same. */
const peers = new WeakMap<Asked["socket"], Peer>();

function peerOf(socket: Asked["socket"], trustedProxies: BlockList): Peer {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const peer = readNode(socket.remoteAddress ?? "");
  const read = { peer, isProxy: isTrusted(peer, trustedProxies) };
  peers.set(socket, read);
  return read;
}

/** The client's address; undefined if unknown. */
export function clientAddress(request: Asked, trustedProxies: BlockList): string | undefined {
  return findClient(request, trustedProxies).address;
}

/** Whether the peer is a proxy that the operator trusts. */
export function isFromProxy({ socket }: Asked, trustedProxies: BlockList): boolean {
  return peerOf(socket, trustedProxies).isProxy;
}

/** Where the client reached this server, which itself speaks plain HTTP without a prefix. */
export interface PublicAddress {
  readonly protocol: "http" | "https";
  readonly host: string;
  /** Such as `/telemetry`, or empty. */
  readonly prefix: string;
}

/** A host with or without a port; an IPv6 address in brackets. */
const HOST = /^[\w.:[\]-]{1,255}$/;
const PREFIX = /^(?:\/(?!\.+(?:\/|$))[\w.~-]+){1,16}$/;

/**
 * The address that the client used. Of several proxies the outermost counts, because it is the one that the client
 * asked. A value that is not a host or a path is ignored, whoever sends it.
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

/** Empty for a header that breaks the grammar, because it is unclear where its parts end. */
function readForwarded(header: string): readonly Hop[] {
  try {
    return header === "" ? [] : forwardedParse(header);
  } catch {
    return [];
  }
}

/** The first hop is a client's by definition, even if its network is trusted too. */
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
 * `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]:5`, `_hidden:5`, each optionally quoted. A port may be a
 * name.
 */
const NODE =
  /^(?:(?<ipv4>[\d.]+)(?::[\w.-]+)?|\[(?<bracketed>[^\]]+)\](?::[\w.-]+)?|(?<ipv6>[\da-fA-F]*:[\da-fA-F:.]+(?:%[\w.-]+)?)|(?<obfuscated>_[\w.-]{1,63})(?::[\w.-]+)?)$/;

/** Reads a node of RFC 7239, section 6, or of X-Forwarded-For. */
function readNode(text: string): Client {
  const trimmed = text.trim().replace(/^"(.*)"$/, "$1");
  const { ipv4, bracketed, ipv6, obfuscated } = NODE.exec(trimmed)?.groups ?? {};
  if (obfuscated !== undefined) return { address: undefined, name: obfuscated };
  const address = toPlain(ipv4 ?? bracketed ?? ipv6 ?? "");
  return isIP(address) === 0 ? NOBODY : { address, name: address };
}

/** Drops the zone, and writes an IPv4-mapped IPv6 address as IPv4. */
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
