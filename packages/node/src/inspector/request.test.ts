import { describe, expect, it } from "vitest";
import { openForTest } from "../rig/in-process.ts";
import { isKnownHost } from "./request.ts";

describe("a request's Host", () => {
  it.each([
    [undefined, true],
    ["localhost", true],
    ["LOCALHOST:3000", true],
    ["product.localhost:3000", true],
    ["127.0.0.1:8080", true],
    ["192.168.1.20", true],
    ["[::1]:3000", true],
    ["[fd00::17]", true],
    ["0x7f.1", true],
    ["app.example.org", true],
    ["APP.example.org:8443", true],
    ["app.example.org.", true],
    ["evil.test", false],
    ["evil.test:3000", false],
    ["app.example.org.evil.test", false],
    ["notlocalhost", false],
    ["localhost.evil.test", false],
    ["127.0.0.1.evil.test", false],
    ["user@localhost", false],
    ["evil.test/localhost", false],
    ["a b", false],
    ["", false],
  ])("%s is known: %s", (host, isKnown) => {
    expect(isKnownHost(host, ["app.example.org:443"])).toBe(isKnown);
  });
});

it("`hosts` is a problem if it is not a list", () => {
  const { telemetry, told } = openForTest();
  telemetry.inspector({ hosts: "app.example.org" as unknown as readonly string[] });
  const [problem = ""] = telemetry.status().problems;
  expect(problem).toMatch(/^inspector\.hosts: /);
  expect(told).toContain(problem);
});
