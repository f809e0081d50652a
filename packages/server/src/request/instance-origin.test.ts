import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";
import { expect, test } from "vitest";
import { originsOf } from "./instance-route.ts";

const PROXY = "10.0.0.6";
const trustedProxies = new BlockList();
trustedProxies.addAddress(PROXY);

interface Asked {
  readonly peer?: string;
  readonly host?: string;
  readonly forwarded?: string;
  readonly origins?: readonly string[];
}

function originsFor({ peer = "192.0.2.7", host, forwarded, origins }: Asked): readonly string[] {
  const request = {
    socket: { remoteAddress: peer },
    headers: { host, ...(forwarded === undefined ? {} : { "x-forwarded-host": forwarded }) },
  };
  return [...originsOf(request as unknown as IncomingMessage, { origins, trustedProxies })];
}

const both = (host: string): readonly string[] => [`http://${host}`, `https://${host}`];

test.each<[string, Asked, readonly string[]]>([
  ["its Host, behind TLS or not", { host: "t.example.org" }, both("t.example.org")],
  ["its Host with a port", { host: "t.example.org:8443" }, both("t.example.org:8443")],
  ["its Host in capitals", { host: "T.Example.ORG" }, both("t.example.org")],
  [
    "a usual port as no port",
    { host: "t.example.org:443" },
    ["http://t.example.org:443", "https://t.example.org"],
  ],
  ["an IPv6 address", { host: "[::1]:7226" }, both("[::1]:7226")],
  [
    "what a trusted proxy saw",
    { peer: PROXY, host: "candor:7226", forwarded: "t.example.org" },
    [...both("candor:7226"), ...both("t.example.org")],
  ],
  [
    "what the last of several proxies saw",
    { peer: PROXY, host: "c", forwarded: "evil.example, t.example.org" },
    [...both("c"), ...both("t.example.org")],
  ],
  ["nothing from an untrusted peer's X-Forwarded-Host", { host: "c", forwarded: "evil.example" }, both("c")],
  [
    "nothing but the setting",
    { peer: PROXY, host: "evil.example", forwarded: "evil.example", origins: ["https://t.example.org"] },
    ["https://t.example.org"],
  ],
  ["nothing without a Host", {}, []],
  ["nothing for an invalid Host", { host: "user@t.example.org/path" }, []],
  ["nothing for an invalid port", { host: "t.example.org:99999" }, []],
  ["nothing for a Host that is too long", { host: "t".repeat(300) }, []],
])("a request's origins are derived from %s", (_, asked, origins) => {
  expect(originsFor(asked)).toEqual(origins);
});
