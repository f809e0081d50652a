import { describe, expect, it } from "vitest";
import { chooseProxy, endpointOf, isExempt } from "./proxy.ts";

const SECURE = "https://collector.test/v1/batch";
const PLAIN = "http://collector.test:7226/v1/batch";

const server = (host: string, port: number, more: object = {}) => ({
  host,
  port,
  isSecure: false,
  authorization: undefined,
  ...more,
});
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("the proxy for a URL", () => {
  it.each<[why: string, environment: Record<string, string>, url: string, proxy: object | undefined]>([
    ["nothing is set", {}, SECURE, undefined],
    ["HTTPS_PROXY", { HTTPS_PROXY: "http://proxy.test:3128" }, SECURE, server("proxy.test", 3128)],
    [
      "https_proxy wins",
      { https_proxy: "http://a.test:1", HTTPS_PROXY: "http://b.test:2" },
      SECURE,
      server("a.test", 1),
    ],
    [
      "an empty one is none",
      { https_proxy: "", HTTPS_PROXY: "http://b.test:2" },
      SECURE,
      server("b.test", 2),
    ],
    ["HTTP_PROXY is not for https", { HTTP_PROXY: "http://proxy.test:3128" }, SECURE, undefined],
    ["HTTPS_PROXY is not for http", { HTTPS_PROXY: "http://proxy.test:3128" }, PLAIN, undefined],
    ["HTTP_PROXY", { HTTP_PROXY: "http://proxy.test:3128" }, PLAIN, server("proxy.test", 3128)],
    [
      "http_proxy wins",
      { http_proxy: "http://a.test:1", HTTP_PROXY: "http://b.test:2" },
      PLAIN,
      server("a.test", 1),
    ],
    [
      "HTTP_PROXY under CGI is a visitor's header",
      { HTTP_PROXY: "http://evil.test", REQUEST_METHOD: "GET" },
      PLAIN,
      undefined,
    ],
    [
      "http_proxy under CGI",
      { http_proxy: "http://a.test:1", REQUEST_METHOD: "GET" },
      PLAIN,
      server("a.test", 1),
    ],
    ["ALL_PROXY", { ALL_PROXY: "http://a.test:1" }, SECURE, server("a.test", 1)],
    [
      "all_proxy wins over ALL_PROXY",
      { all_proxy: "http://a.test:1", ALL_PROXY: "http://b.test:2" },
      PLAIN,
      server("a.test", 1),
    ],
    [
      "the special one wins over ALL_PROXY",
      { ALL_PROXY: "http://a.test:1", HTTPS_PROXY: "http://b.test:2" },
      SECURE,
      server("b.test", 2),
    ],
    ["no scheme", { HTTPS_PROXY: "proxy.test:3128" }, SECURE, server("proxy.test", 3128)],
    ["no port", { HTTPS_PROXY: "proxy.test" }, SECURE, server("proxy.test", 80)],
    [
      "an https proxy",
      { HTTPS_PROXY: "https://proxy.test" },
      SECURE,
      server("proxy.test", 443, { isSecure: true }),
    ],
    ["an IPv6 proxy", { HTTPS_PROXY: "http://[::1]:3128" }, SECURE, server("::1", 3128)],
    [
      "credentials",
      { HTTPS_PROXY: "http://me:p%40ss@a.test:1" },
      SECURE,
      server("a.test", 1, { authorization: basic("me:p@ss") }),
    ],
    [
      "a user alone",
      { HTTPS_PROXY: "me@a.test:1" },
      SECURE,
      server("a.test", 1, { authorization: basic("me:") }),
    ],
    ["NO_PROXY", { HTTPS_PROXY: "http://a.test:1", NO_PROXY: "collector.test" }, SECURE, undefined],
    [
      "no_proxy wins",
      { HTTPS_PROXY: "http://a.test:1", no_proxy: "x.test", NO_PROXY: "*" },
      SECURE,
      server("a.test", 1),
    ],
    [
      "NO_PROXY by the default port",
      { HTTPS_PROXY: "http://a.test:1", NO_PROXY: "collector.test:443" },
      SECURE,
      undefined,
    ],
    [
      "NO_PROXY by port",
      { HTTP_PROXY: "http://a.test:1", NO_PROXY: "collector.test:7226" },
      PLAIN,
      undefined,
    ],
    [
      "a bad proxy is not looked at when exempt",
      { HTTPS_PROXY: "socks5://a.test:1", NO_PROXY: "*" },
      SECURE,
      undefined,
    ],
  ])("%s", (_why, environment, url, proxy) => {
    expect(chooseProxy(environment, new URL(url))).toEqual(proxy);
  });

  it.each([
    "socks5://proxy.test:1080",
    "ftp://proxy.test",
    "http://",
    "http://a.test:99999",
    "http://%zz:x@a.test",
  ])("is a fault if the variable holds %s", (value) => {
    expect(() => chooseProxy({ ALL_PROXY: value }, new URL(SECURE))).toThrow(
      expect.objectContaining({ fault: "proxy" }),
    );
  });
});

describe("the endpoint of a URL", () => {
  it.each([
    ["https://Collector.TEST/", { host: "collector.test", port: 443 }],
    ["http://[::1]:8080/x", { host: "::1", port: 8080 }],
    ["http://127.0.0.1", { host: "127.0.0.1", port: 80 }],
  ])("%s", (url, endpoint) => {
    expect(endpointOf(new URL(url))).toEqual(endpoint);
  });

  it("is a fault if the protocol is neither http nor https", () => {
    expect(() => endpointOf(new URL("ftp://collector.test"))).toThrow(
      expect.objectContaining({ fault: "other" }),
    );
  });
});

describe("NO_PROXY", () => {
  it.each<[list: string, host: string, port: number, isCovered: boolean]>([
    ["", "collector.test", 443, false],
    ["*", "collector.test", 443, true],
    [" , ,", "collector.test", 443, false],
    ["collector.test", "collector.test", 443, true],
    ["COLLECTOR.Test", "collector.test", 443, true],
    ["collector.test", "eu.collector.test", 443, true],
    ["collector.test", "mycollector.test", 443, false],
    ["collector.test", "collector.test.", 443, true],
    ["collector.test.", "collector.test", 443, true],
    [".collector.test", "eu.collector.test", 443, true],
    [".collector.test", "collector.test", 443, true],
    ["*.collector.test", "eu.collector.test", 443, true],
    ["*.collector.test", "mycollector.test", 443, false],
    [".", "collector.test", 443, false],
    ["other.test, collector.test", "collector.test", 443, true],
    ["other.test collector.test", "collector.test", 443, true],
    ["collector.test:443", "collector.test", 443, true],
    ["collector.test:8443", "collector.test", 443, false],
    ["*:443", "collector.test", 443, false],
    ["127.0.0.1", "127.0.0.1", 80, true],
    ["127.0.0.1:81", "127.0.0.1", 80, false],
    ["127.0.0.2", "127.0.0.1", 80, false],
    ["10.0.0.0/8", "10.200.3.4", 80, true],
    ["10.0.0.0/8", "11.0.0.1", 80, false],
    ["10.0.0.0/8:80", "10.200.3.4", 80, true],
    ["10.0.0.0/33", "10.0.0.1", 80, false],
    ["10.0.0.0/", "10.0.0.1", 80, false],
    ["10.0.0.0/x", "10.0.0.1", 80, false],
    ["0.0.0.0/0", "10.0.0.1", 80, true],
    ["10.0.0.0/8", "ten.test", 80, false],
    ["0.1", "10.0.0.1", 80, false],
    ["::1", "::1", 80, true],
    ["[::1]", "::1", 80, true],
    ["[::1]:80", "::1", 80, true],
    ["[::1]:81", "::1", 80, false],
    ["fd00::/8", "fd12:3456::1", 80, true],
    ["fd00::/8", "fe80::1", 80, false],
    ["localhost", "127.0.0.1", 80, false],
  ])("%j covers %s port %i: %j", (list, host, port, isCovered) => {
    expect(isExempt(list, host, port)).toBe(isCovered);
  });
});
