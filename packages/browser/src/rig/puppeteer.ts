/** Drives Chromium and Firefox for `browsers.ts`. */
import { setTimeout as sleep } from "node:timers/promises";
import { launch, type Page } from "puppeteer-core";
import { findProgram } from "../../../../scripts/programs.mjs";
import type { RigBrowser, RigTab } from "./browsers.ts";

const PROGRAMS = { chromium: "chromium", firefox: "firefox-esr" } as const;
/** With these flags, the browser can reach only this machine and makes no background requests. */
const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  "--disable-background-networking",
];

export async function startPuppeteer(name: keyof typeof PROGRAMS): Promise<RigBrowser> {
  const executablePath = findProgram(PROGRAMS[name]);
  if (executablePath === undefined) throw new Error(`There is no ${PROGRAMS[name]} on this machine.`);
  const browser = await launch({
    browser: name === "firefox" ? "firefox" : "chrome",
    executablePath,
    headless: true,
    timeout: 60_000,
    args: name === "chromium" ? CHROMIUM_FLAGS : [],
  });
  return {
    name,
    version: await browser.version(),
    openTab: async (url) => {
      const page = await browser.newPage();
      const tab = toTab(page);
      await tab.goto(url);
      return tab;
    },
    close: () => browser.close(),
  };
}

function toTab(page: Page): RigTab {
  return {
    goto: async (url) => void (await page.goto(url)),
    evaluate: async <Result>(script: string) =>
      JSON.parse(
        String(
          await page.evaluate(`(async () => JSON.stringify((await (async () => {${script}})()) ?? null))()`),
        ),
      ) as Result,
    click: async (selector, key) => {
      if (key !== undefined) await page.keyboard.down(key);
      await page.click(selector);
      if (key !== undefined) await page.keyboard.up(key);
    },
    type: (selector, text) => page.type(selector, text),
    press: (key) => page.keyboard.press(key),
    back: () => goBack(page),
    reload: async () => void (await page.reload()),
    screenshot: () => page.screenshot(),
    close: () => page.close({ runBeforeUnload: false }),
  };
}

/**
 * Goes back, and polls the page's address for at most about 5 s, because Firefox does not report that a page
 * was restored from the cache.
 */
async function goBack(page: Page): Promise<void> {
  const from = page.url();
  await page.evaluate("void setTimeout(() => history.back())");
  for (let tries = 0; tries < 100; tries += 1) {
    await sleep(50);
    const now = await page.evaluate("location.href + document.readyState").catch(() => from);
    if (typeof now === "string" && !now.startsWith(from) && now.endsWith("complete")) return;
  }
}
