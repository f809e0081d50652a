import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSERS, type RigBrowser, startBrowser } from "./browsers.ts";

const PAGE = `<!doctype html><title>Rig</title><button id="b">B</button><input id="i">
<script>
  window.seen = [];
  for (const type of ["click", "keydown"]) addEventListener(type, (e) => seen.push([type, e.isTrusted, e.ctrlKey, e.key ?? ""]));
  addEventListener("pagehide", () => navigator.sendBeacon("/beacon", "left"));
</script>`;

describe.for(BROWSERS)("%s", { timeout: 120_000 }, (name) => {
  const received: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "POST") request.on("data", (chunk) => received.push(String(chunk)));
    response.setHeader("content-type", "text/html").end(PAGE);
  });
  let browser: RigBrowser | undefined;
  let url = "";

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await startBrowser(name);
  });
  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  it("clicks, types and holds keys like a person, and its tabs share one profile", {
    tags: [name],
  }, async () => {
    const tab = await browser!.openTab(`${url}/one`);
    await tab.click("#b");
    await tab.click("#b", "Control");
    await tab.type("#i", "x");
    const seen = await tab.evaluate<unknown[]>("return seen");
    expect(seen).toContainEqual(["click", true, false, ""]);
    expect(seen).toContainEqual(["click", true, true, ""]);
    expect(seen).toContainEqual(["keydown", true, false, "x"]);
    await tab.evaluate('localStorage.setItem("a", "1")');
    const other = await browser!.openTab(`${url}/two`);
    expect(await other.evaluate("return localStorage.getItem('a')")).toBe("1");
    await other.goto(`${url}/three`);
    await other.back();
    expect(await other.evaluate("return location.pathname")).toBe("/two");
    await other.close();
    await expect.poll(() => received, { timeout: 10_000 }).toContain("left");
  });
});
