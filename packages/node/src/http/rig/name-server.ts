/** For tests: a DNS server. */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";

/** Addresses (an empty list: the name exists, but has none), or another kind of answer. */
export type NameReply = readonly string[] | "nxdomain" | "servfail" | "silent";

export interface NameServer {
  /** The queries in order, each as `A name` or `AAAA name`. */
  readonly queries: readonly string[];
  /** A resolver that queries only this server. */
  createResolver(): Resolver;
  close(): void;
}

const TYPES: Readonly<Record<number, "A" | "AAAA">> = { 1: "A", 28: "AAAA" };
const RESPONSE_CODES = { nxdomain: 3, servfail: 2 };

/** Starts a DNS server over UDP, on a free loopback port unless an address and a port are given. */
export async function startNameServer(
  reply: (name: string, type: "A" | "AAAA") => NameReply,
  { address = "127.0.0.1", port = 0 } = {},
): Promise<NameServer> {
  const queries: string[] = [];
  const socket = createSocket("udp4", (query, peer) => {
    const { name, end } = parseName(query);
    const type = TYPES[query.readUInt16BE(end)];
    if (type === undefined) return;
    queries.push(`${type} ${name}`);
    const wanted = reply(name, type);
    if (wanted !== "silent") socket.send(toPacket(query, end, wanted), peer.port, peer.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return {
    queries,
    createResolver() {
      const resolver = new Resolver({ timeout: 300, tries: 2 });
      resolver.setServers([`${address}:${socket.address().port}`]);
      return resolver;
    },
    close: () => socket.close(),
  };
}

/** Parses the question of a DNS query. @returns the name, and the position of the question's type */
function parseName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function toPacket(query: Buffer, end: number, reply: readonly string[] | "nxdomain" | "servfail"): Buffer {
  const question = query.subarray(12, end + 4);
  const addresses = typeof reply === "string" ? [] : reply.map(toBytes);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (typeof reply === "string" ? RESPONSE_CODES[reply] : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const answers = addresses.map((bytes) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // a pointer to the question's name
    query.copy(record, 2, end, end + 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([header, question, ...answers]);
}

/** Converts an address to bytes. Supports IPv6 only as `::1` and `::`, which is all the tests need. */
function toBytes(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(address === "::1" ? 1 : 0, 15);
  return bytes;
}
