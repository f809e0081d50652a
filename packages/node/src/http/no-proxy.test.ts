import { describe, expect, it } from "vitest";
import { isExempt } from "./no-proxy.ts";

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
