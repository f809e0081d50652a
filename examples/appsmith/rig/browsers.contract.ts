/** Row 4 of the README's table: what browsers send after the operator's Yes, and after a No. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RigBrowser, type RigTab, startBrowser } from "../../../packages/browser/src/rig/browsers.ts";
import { openProduct, type Product } from "./product.ts";
import { expectListed } from "./public-page.ts";
import { NAMES, PERSON, type Use } from "./use.ts";

/** Does what a person does, from signing in to deploying an app. */
async function visit(browser: RigBrowser, { url }: Product): Promise<RigTab> {
  const tab = await browser.openTab(`${url}/user/login`);
  await waitFor(tab, "form input[name=password]");
  await tab.type("input[name=email]", PERSON.email);
  await tab.type("input[name=password]", PERSON.password);
  await tab.click("form button");
  await waitFor(tab, "#create");
  await tab.type("input[name=name]", NAMES.app);
  await tab.click("#create");
  await waitFor(tab, "a[data-telemetry=DEPLOY_CLICK]");
  await tab.click("a[data-telemetry=DEPLOY_CLICK]");
  await sleep(2500);
  return tab;
}

const waitFor = (tab: RigTab, selector: string) =>
  expect
    .poll(
      () => tab.evaluate<boolean>(`return document.querySelector(${JSON.stringify(selector)}) !== null`),
      {
        timeout: 10_000,
      },
    )
    .toBe(true);

const CLIENT_EVENTS = [
  "LOGIN_PAGE_LOAD",
  "APPLICATIONS_PAGE_LOAD",
  "CREATE_APPLICATION_CLICK",
  "EDITOR_PAGE_LOAD",
  "DEPLOY_CLICK",
  "VIEWER_PAGE_LOAD",
];

export function testBrowsers(use: Use): void {
  describe("row 4: pages and clicks", { tags: ["chromium"] }, () => {
    let browser: RigBrowser;
    beforeAll(async () => {
      browser = await startBrowser("chromium");
    });
    afterAll(() => browser?.close());

    it("a browser sends page loads and clicks after the Yes at the install, and none after a No", async () => {
      const tab = await visit(browser, use.product);
      const clientEvents = async () =>
        (await use.collector.events()).filter(({ candor }) => candor.source === "client");
      await expect.poll(clientEvents, { timeout: 20_000 }).toHaveLength(CLIENT_EVENTS.length);
      const events = await clientEvents();
      expect(events.map(({ event }) => event).sort()).toEqual([...CLIENT_EVENTS].sort());
      for (const { properties, context } of events) {
        expect(properties).toEqual({
          version: "2.0.0",
          instanceId: use.product.state("instance.json").instanceId,
        });
        expect(context?.page).toMatchObject({
          path: expect.stringMatching(/^\/(user\/login|applications|app\/:app\/:page(\/edit)?)$/),
        });
      }
      await tab.close();

      const refused = await openProduct(use.machine);
      try {
        const { status } = await refused.install(use.release, { typed: [["[y/N]", "n\n"]] });
        expect(status).toBe(0);
        await refused.api("/users", PERSON);
        const other = await visit(browser, refused);
        expect(await other.evaluate("return Object.keys(localStorage)")).toEqual([]);
        await other.close();
        await sleep(3000);
        expect(await clientEvents()).toHaveLength(CLIENT_EVENTS.length);
      } finally {
        await refused.remove();
      }
    });

    it("the public page lists exactly what browsers send", () => expectListed(use, CLIENT_EVENTS));
  });
}
