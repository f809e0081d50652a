import { expect, it } from "vitest";
import { BROWSERS, type RigTab, startBrowser } from "./rig/browsers.ts";
import { openProduct } from "./rig/product.ts";

const EVENT = `
  - type: track
    name: Web Vitals
    source: [client]
    since: 1
    why: Says how fast pages are for people.
    owner: Client team
    review: https://example.org/1
    properties:
      name: { type: string, sensitivity: technical, description: Which metric., enum: [CLS, FCP, INP, LCP, TTFB], max_length: 4, example: LCP }
      value: { type: number, sensitivity: technical, description: Its value., minimum: 0, maximum: 3600000, example: 1200 }
      rating: { type: string, sensitivity: technical, description: How good it is., enum: [good, needs-improvement, poor], max_length: 17, example: good }
`;
const withVitals = (text: string) => `${text.trimEnd()}\n${EVENT}`;

/** Reports web vitals on a page, then closes the page. */
async function report(tab: RigTab): Promise<void> {
  await tab.evaluate(
    'const { reportWebVitals } = await import("/vitals.js"); await reportWebVitals(telemetry);',
  );
  await tab.click("#unnamed");
  await tab.evaluate("await new Promise((done) => setTimeout(done, 500))");
  await tab.close();
}

for (const name of BROWSERS)
  it(`reports web vitals in ${name} only if the plan declares them`, {
    tags: [name],
  }, async () => {
    const browser = await startBrowser(name);
    try {
      const product = await openProduct({ plan: withVitals });
      await report(await browser.openTab(product.page("/applications")));
      await browser.openTab(product.page("/nowhere")); // sends what the closed tab could not send
      const vitals = () => product.messages().filter(({ event }) => event === "Web Vitals");
      await expect
        .poll(() => vitals().map(({ properties }) => properties?.name), { timeout: 15_000 })
        .toContain("TTFB");
      for (const { properties } of vitals())
        expect(properties).toMatchObject({
          value: expect.any(Number),
          rating: expect.stringMatching(/^(good|needs-improvement|poor)$/),
        });

      const silent = await openProduct();
      await report(await browser.openTab(silent.page("/applications")));
      await browser.openTab(silent.page("/nowhere"));
      await expect
        .poll(() => silent.messages().map(({ event }) => event), { timeout: 15_000 })
        .toEqual(["APPLICATIONS_PAGE_LOAD"]);
    } finally {
      await browser.close();
    }
  });
