import { BlockList } from "node:net";
import { describe, expect, it } from "vitest";
import { type Asked, clientAddress, findClient, publicAddress } from "./client-address.ts";

const TRUSTED = new BlockList();
TRUSTED.addSubnet("10.0.0.0", 8, "ipv4");
TRUSTED.addAddress("::1", "ipv6");
TRUSTED.addSubnet("fd00::", 8, "ipv6");

type Headers = Record<string, string>;

function requestOf(headers: Headers, remoteAddress = "10.0.0.1"): Asked {
  return { headers, socket: { remoteAddress } };
}

const addressBy = (headers: Headers, peer?: string): string | undefined =>
  clientAddress(requestOf(headers, peer), TRUSTED);

describe("the client's address", () => {
  it.each<[string, string, string | undefined]>([
    ["one address", "203.0.113.7", "203.0.113.7"],
    ["behind several proxies", "203.0.113.7, 10.1.1.1,10.2.2.2", "203.0.113.7"],
    ["an address that the client forged before it", "6.6.6.6, 203.0.113.7, 10.1.1.1", "203.0.113.7"],
    ["with a port, as Azure's gateway writes", "8.8.8.8:61598, 10.0.0.6", "8.8.8.8"],
    ["the proxy with a port as well", "8.8.8.8:61598, 10.0.0.6:443", "8.8.8.8"],
    ["IPv6", "2001:db8::1", "2001:db8::1"],
    ["IPv6 in brackets", "[2001:db8::1]", "2001:db8::1"],
    ["IPv6 in brackets with a port, as AWS writes", "[2001:db8::1]:443", "2001:db8::1"],
    ["IPv6 behind a trusted IPv6 proxy", "2001:db8::1, fd00::2", "2001:db8::1"],
    ["IPv6 with a zone", "fe80::1%eth0", "fe80::1"],
    ["IPv4 in IPv6", "::ffff:203.0.113.7", "203.0.113.7"],
    ["IPv4 in IPv6, in hexadecimal", "::FFFF:cb00:7107", "203.0.113.7"],
    ["IPv4 in IPv6, at full length", "[0:0:0:0:0:ffff:cb00:7107]:1", "203.0.113.7"],
    ["in quotes", '"203.0.113.7:80"', "203.0.113.7"],
    ["IPv6 in quotes, with a port", '"[2001:db8::1]:443", 10.0.0.6', "2001:db8::1"],
    ["a client in a trusted network", "10.9.9.9, 10.1.1.1", "10.9.9.9"],
    ["unknown", "unknown", undefined],
    ["unknown behind a proxy", "unknown, 10.0.0.6", undefined],
    ["unknown after a forged one", "6.6.6.6, unknown", undefined],
    ["an obfuscated name", "_hidden, 10.0.0.6", undefined],
    ["an empty hop", "203.0.113.7, , 10.0.0.6", undefined],
    ["an empty hop at the end", "203.0.113.7,", undefined],
    ["nothing", "", undefined],
    ["blanks", " , ", undefined],
    ["a name", "client.example.com", undefined],
    ["IPv4 with five parts", "203.0.113.7.9", undefined],
    ["IPv4 with leading zeros", "010.0.0.1", undefined],
    ["IPv4 in brackets", "[203.0.113.7]", "203.0.113.7"],
    ["an open bracket", "[2001:db8::1", undefined],
    ["IPv6 of nine groups", "2001:db8:0:0:0:0:0:1:443", undefined],
    ["an open quote", '"203.0.113.7', undefined],
    ["a script", "<script>, 10.0.0.6", undefined],
  ])("is read from X-Forwarded-For: %s", (_what, header, address) => {
    expect(addressBy({ "x-forwarded-for": header })).toBe(address);
  });

  it.each<[string, string, string | undefined]>([
    ["one address", "for=203.0.113.7", "203.0.113.7"],
    ["any case of the name", "FOR=203.0.113.7;Proto=https", "203.0.113.7"],
    ["with a port", 'for="203.0.113.7:4711"', "203.0.113.7"],
    ["IPv6", 'for="[2001:db8::1]:4711";proto=https;host=t.example.com', "2001:db8::1"],
    ["by and host too", 'by=10.0.0.1;for="[2001:db8:cafe::17]";host=a', "2001:db8:cafe::17"],
    ["several, of proxies", "for=203.0.113.7, for=10.1.1.1;by=10.2.2.2", "203.0.113.7"],
    ["an address that the client forged before it", "for=6.6.6.6, for=203.0.113.7", "203.0.113.7"],
    ["a port that is a name", 'for="203.0.113.7:_web"', "203.0.113.7"],
    ["an escaped quote elsewhere", 'for=203.0.113.7;ext="a\\"b, for=6.6.6.6"', "203.0.113.7"],
    ["unknown", "for=unknown", undefined],
    ["unknown behind a proxy", "for=unknown, for=10.1.1.1", undefined],
    ["an obfuscated name", "for=_gazonk, for=10.1.1.1", undefined],
    ["no for", "proto=https", undefined],
    ["no for in the last hop", "for=203.0.113.7, proto=https", undefined],
    ["broken grammar", 'for=203.0.113.7, for="', undefined],
    ["IPv6 without quotes, which the grammar forbids", "for=[2001:db8::1]", undefined],
    ["nothing", "", undefined],
  ])("is read from Forwarded: %s", (_what, header, address) => {
    expect(addressBy({ forwarded: header })).toBe(address);
  });

  it.each<[string, Headers, string, string | undefined]>([
    ["the peer's, without a proxy", {}, "203.0.113.9", "203.0.113.9"],
    ["the peer's, as IPv4 in IPv6", {}, "::ffff:203.0.113.9", "203.0.113.9"],
    [
      "the peer's, whatever it writes",
      { "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6" },
      "203.0.113.9",
      "203.0.113.9",
    ],
    ["nobody's, when a trusted proxy says nothing", {}, "10.0.0.1", undefined],
    ["nobody's, when the connection is gone", { "x-forwarded-for": "203.0.113.7" }, "", undefined],
    [
      "the one in which both headers agree",
      { "x-forwarded-for": "203.0.113.7:1", forwarded: "for=203.0.113.7" },
      "::1",
      "203.0.113.7",
    ],
    [
      "nobody's, if they differ",
      { "x-forwarded-for": "203.0.113.7", forwarded: "for=6.6.6.6" },
      "::1",
      undefined,
    ],
    [
      "nobody's, if one is broken",
      { "x-forwarded-for": "203.0.113.7", forwarded: "nonsense" },
      "::1",
      undefined,
    ],
  ])("is %s", (_what, headers, peer, address) => {
    expect(addressBy(headers, peer)).toBe(address);
  });

  it("is never a trusted proxy's own, whatever the headers contain", () => {
    const parts = ["10.0.0.6", "10.0.0.6:1", '"[fd00::2]:1"', "unknown", "_x", "", "nonsense", "[", '"'];
    for (const first of parts)
      for (const second of parts)
        expect(addressBy({ "x-forwarded-for": `unknown, ${first}, ${second}` })).toBeUndefined();
  });

  it("is replaced by an obfuscated name if only that distinguishes clients", () => {
    const named = (headers: Headers): string | undefined => findClient(requestOf(headers), TRUSTED).name;
    expect(named({ forwarded: "for=_gazonk, for=10.1.1.1" })).toBe("_gazonk");
    expect(named({ forwarded: 'for="_gazonk:_8"' })).toBe("_gazonk");
    expect(named({ forwarded: "for=203.0.113.7" })).toBe("203.0.113.7");
    expect(named({ forwarded: "for=unknown" })).toBeUndefined();
    expect(named({ "x-forwarded-for": `_${"x".repeat(10_000)}` })).toBeUndefined();
  });
});

describe("the public address", () => {
  const host = "inner:7226";
  const plain = { protocol: "http", host, prefix: "" };
  const of = (headers: Headers, peer?: string): object =>
    publicAddress(requestOf({ host, ...headers }, peer), TRUSTED);

  it.each<[string, Headers, object]>([
    ["https", { "x-forwarded-proto": "https" }, { protocol: "https" }],
    ["https, https", { "x-forwarded-proto": "https, https" }, { protocol: "https" }],
    ["HTTPS", { "x-forwarded-proto": "HTTPS" }, { protocol: "https" }],
    ["https before an inner http", { "x-forwarded-proto": "https,http" }, { protocol: "https" }],
    ["http", { "x-forwarded-proto": "http" }, {}],
    ["another protocol", { "x-forwarded-proto": "gopher" }, {}],
    [
      "Forwarded",
      { forwarded: 'for="[2001:db8::1]:4711";proto=https;host=t.example.com' },
      { protocol: "https", host: "t.example.com" },
    ],
    ["Forwarded with a port", { forwarded: 'host="t.example.com:8443"' }, { host: "t.example.com:8443" }],
    ["a broken Forwarded", { forwarded: "proto=https;;" }, {}],
    ["a host", { "x-forwarded-host": "t.example.com" }, { host: "t.example.com" }],
    ["hosts", { "x-forwarded-host": "t.example.com, inner.lan" }, { host: "t.example.com" }],
    ["an invalid host", { "x-forwarded-host": "a b<script>" }, {}],
    ["an invalid Host alone", { host: "<script>" }, { host: "localhost" }],
    ["a prefix", { "x-forwarded-prefix": "/telemetry" }, { prefix: "/telemetry" }],
    ["a prefix with a slash", { "x-forwarded-prefix": "/a/b-c/" }, { prefix: "/a/b-c" }],
    ["prefixes of two proxies", { "x-forwarded-prefix": "/a, /b" }, { prefix: "/a/b" }],
    ["the root", { "x-forwarded-prefix": "/" }, {}],
    ["a prefix that climbs", { "x-forwarded-prefix": "/a/../b" }, {}],
    ["another host as prefix", { "x-forwarded-prefix": "//evil.example.com" }, {}],
    ["an invalid prefix", { "x-forwarded-prefix": 'a"b' }, {}],
  ])("is read from a trusted proxy's headers: %s", (_what, headers, told) => {
    expect(of(headers)).toEqual({ ...plain, ...told });
  });

  it("is the request's own, whatever headers an untrusted peer sends", () => {
    const headers = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": "h",
      "x-forwarded-prefix": "/p",
      forwarded: "proto=https",
    };
    expect(of(headers, "203.0.113.9")).toEqual(plain);
  });
});
