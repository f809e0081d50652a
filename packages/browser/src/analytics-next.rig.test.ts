// Runs Segment's browser client, as published, against the gateway.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openForTest, type World } from "../../node/src/rig/in-process.ts";
import { startBrowser } from "./rig/browsers.ts";

const CLIENT = readFileSync(
  new URL("../umd/index.js", import.meta.resolve("@segment/analytics-next")),
  "utf8",
);
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="/client.js"></script>`;
/** Blocks requests to other origins. The page records each blocked request. */
const POLICY = "default-src 'self'; img-src data:";

interface Site extends Pick<World, "messages"> {
  readonly url: string;
  /** The paths of the requests to the gateway, as the browser sent them. */
  readonly paths: readonly string[];
}

/**
 * Opens a product behind a proxy that strips `prefix`.
 * @param answer the value of APPSMITH_CLIENT_TELEMETRY
 */
async function openSite(answer: "yes" | "no", prefix: string): Promise<Site> {
  const environment = { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_CLIENT_TELEMETRY: answer };
  const world = openForTest({ environment });
  const gateway = world.telemetry.gateway({ writeKey: "client_key" });
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    response.setHeader("Content-Security-Policy", POLICY);
    const isClient = url === "/client.js";
    if (!url.startsWith(`${prefix}/telemetry/`)) {
      response.setHeader("Content-Type", isClient ? "text/javascript" : "text/html");
      response.end(isClient ? CLIENT : PAGE);
      return;
    }
    paths.push(url);
    request.url = url.slice(prefix.length);
    if (prefix !== "") request.headers["x-forwarded-prefix"] = prefix;
    gateway(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    messages: () => world.messages(),
  };
}

interface Tracked {
  /** Whether `track()` resolved within 10 s. */
  readonly isResolved: boolean;
  /** The URLs or origins outside this site that the client tried to reach. */
  readonly elsewhere: readonly string[];
}

async function trackIn(site: Site, prefix: string): Promise<Tracked> {
  const browser = await startBrowser("chromium");
  onTestFinished(() => browser.close());
  const tab = await browser.openTab(site.url);
  return tab.evaluate(`
    const elsewhere = [];
    addEventListener("securitypolicyviolation", ({ blockedURI }) => elsewhere.push(blockedURI));
    const cdnURL = location.origin + "${prefix}/telemetry";
    const analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: "client_key", cdnURL });
    const late = new Promise((resolve) => setTimeout(resolve, 10_000, false));
    const tracked = analytics.track("DEPLOY_CLICK", {}).then(() => true);
    const isResolved = await Promise.race([tracked, late]);
    await new Promise((resolve) => setTimeout(resolve, 1000)); // time for any later requests
    return { isResolved, elsewhere };`);
}

const SETTINGS = "/telemetry/v1/projects/client_key/settings";

it("sends nothing if the client may not send, and its track() resolves", {
  tags: ["chromium"],
}, async () => {
  const site = await openSite("no", "");
  expect(await trackIn(site, "")).toEqual({ isResolved: true, elsewhere: [] });
  expect(site.paths).toEqual([SETTINGS]);
  expect(site.messages()).toEqual([]);
});

it("sends to the product's own origin, behind a proxy that strips a prefix", {
  tags: ["chromium"],
}, async () => {
  const site = await openSite("yes", "/red");
  expect(await trackIn(site, "/red")).toEqual({ isResolved: true, elsewhere: [] });
  expect(site.paths).toEqual([`/red${SETTINGS}`, "/red/telemetry/v1/t"]);
  expect(site.messages()).toMatchObject([{ type: "track", event: "DEPLOY_CLICK" }]);
});
