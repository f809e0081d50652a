import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bytesBelow } from "../../server/src/rig/bytes-below.ts";
import { type CandorProcess, startProcess } from "../../server/src/rig/candor-process.ts";
import { BROWSERS, startBrowser } from "./rig/browsers.ts";
import { openProduct, SECRET } from "./rig/product.ts";

const TOKEN = "rig-admin-token-0123456789abcdef";
const dataDir = mkdtempSync(join(tmpdir(), "candor-browser-"));
let collector: CandorProcess;

beforeAll(async () => {
  collector = await startProcess({
    CANDOR_DATA_DIR: dataDir,
    CANDOR_WRITE_KEYS: "installer:i_key,server:server_key,client:client_key",
    CANDOR_ADMIN_TOKEN: TOKEN,
    CANDOR_PLAN: join(import.meta.dirname, "../../../plans/appsmith.yaml"),
  });
});
afterAll(async () => {
  await collector?.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Found {
  readonly events: readonly { readonly event: string; readonly [key: string]: unknown }[];
}

async function eventsOf(messageIds: readonly unknown[]): Promise<Found["events"]> {
  const response = await fetch(`${collector.url}/api/events?source=client&limit=1000`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const { events } = (await response.json()) as Found;
  return events.filter(({ messageId }) => messageIds.includes(messageId));
}

for (const name of BROWSERS)
  it(`delivers ${name}'s messages to the collector as in the reference, without planted secrets`, {
    tags: [name],
  }, async () => {
    const browser = await startBrowser(name);
    try {
      const product = await openProduct({ host: collector.url, writeKey: "server_key" });
      const tab = await browser.openTab(product.page("/user/login"));
      await tab.evaluate('await telemetry.status(); telemetry.identify("ada@example.org")');
      await tab.evaluate(
        `document.title = "Editor | Appsmith"; history.pushState(null, "", "/applications?q=${SECRET}")`,
      );
      await tab.type("#field", SECRET);
      await tab.click("#connect");
      await expect.poll(() => product.messages().length, { timeout: 15_000 }).toBe(3);
      const ids = product.messages().map(({ messageId }) => messageId);
      const outbox = JSON.stringify(product.messages());
      await product.flush();
      await expect.poll(async () => (await eventsOf(ids)).length, { timeout: 60_000 }).toBe(3);
      const events = await eventsOf(ids);
      expect(events.find(({ event }) => event === "APPLICATIONS_PAGE_LOAD")).toMatchObject({
        type: "track",
        messageId: expect.stringMatching(/^ajs-[0-9a-f]{32}$/),
        anonymousId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        userId: expect.stringMatching(/^[0-9a-f]{32}$/),
        properties: {},
        integrations: {},
        context: {
          ip: "127.0.0.0",
          locale: expect.stringMatching(/^[a-z]{2}(-[A-Z]{2})?$/),
          library: { name: "@candor/browser", version: "0.1.0" },
          page: {
            path: "/applications",
            url: "/applications",
            referrer: "/user/login",
            title: "Editor | Appsmith",
          },
          userAgent: expect.stringMatching(/^(bot|[A-Z][A-Za-z ]+ on Linux)$/),
        },
      });
      for (const text of [outbox, JSON.stringify(events), bytesBelow(dataDir)]) {
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain("ada@example.org");
      }
    } finally {
      await browser.close();
    }
  });
