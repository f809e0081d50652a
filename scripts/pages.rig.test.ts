// @module-tag chromium
// Tests the pages that people see in a real browser: the public page, the operator's
// page and the consent prompt.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type ShownPages, showPages } from "./show-pages.mjs";

let pages: ShownPages;
let browser: Browser;
beforeAll(async () => {
  pages = await showPages();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await pages.close();
});

async function open(name: "privacy" | "inspector" | "prompt", width: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  await page.goto(pages[name], { waitUntil: "load" });
  return page;
}

/**
 * The elements that extend beyond the window's right edge, except the skip link, table headers and anything
 * inside a part that scrolls on its own.
 */
function listOverflowing(): readonly string[] {
  const isInScroller = (element: Element): boolean => {
    for (let at = element.parentElement; at !== null; at = at.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return true;
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(
      (element) =>
        element.className !== "skip" && element.closest("thead") === null && !isInScroller(element),
    )
    .map((element) => `${element.tagName} ${element.textContent?.slice(0, 40)}`);
}

describe.each(["privacy", "inspector"] as const)("the page %s", (name) => {
  it.each([320, 348, 390, 639, 704, 768, 1087, 1280])(
    "is not wider than a window of %i px",
    async (width) => {
      const page = await open(name, width);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      expect(await page.evaluate(listOverflowing)).toEqual([]);
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
      await page.close();
    },
  );

  it("loads nothing from elsewhere, and its security policy blocks nothing", async () => {
    const page = await browser.newPage();
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(pages[name], { waitUntil: "load" });
    expect(asked.filter((url) => !url.endsWith("/favicon.ico"))).toEqual([pages[name]]);
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
    await page.close();
  });
});

describe("on a phone", () => {
  it("each table cell shows its column's name, and an event's fields can be expanded", async () => {
    const page = await open("privacy", 390);
    const labels = await page.evaluate(() =>
      [...document.querySelectorAll("#glance ~ .sheet td, section[aria-labelledby=glance] td")]
        .slice(0, 4)
        .map((cell) => getComputedStyle(cell, "::before").content),
    );
    expect(labels).toEqual(['"Consent"', '"Events"', '"IP addresses"', '"Kept for"']);
    const event = page.locator("section.event").first();
    expect(await event.locator("table").isVisible()).toBe(false);
    await event.locator("summary").first().click();
    expect(await event.locator("table").isVisible()).toBe(true);
    await page.close();
  });

  it("the table of contents can be expanded, and links to a section", async () => {
    const page = await open("privacy", 390);
    expect(await page.getByRole("link", { name: "How to turn it off" }).isVisible()).toBe(false);
    await page.getByText("On this page").click();
    await page.getByRole("link", { name: "How to turn it off" }).click();
    expect(new URL(page.url()).hash).toBe("#off");
    await page.close();
  });
});

it("on a wide screen the contents and fields are expanded, and all blocks end at the same edge", async () => {
  const page = await open("privacy", 1280);
  expect(await page.getByRole("link", { name: "How to turn it off" }).isVisible()).toBe(true);
  expect(await page.locator("section.event table").first().isVisible()).toBe(true);
  const edges = await page.evaluate(() =>
    [
      ...document.querySelectorAll(
        "main > header, main > section > .sheet, main > section > .facts, section.event",
      ),
    ].map((block) => Math.round(block.getBoundingClientRect().right)),
  );
  expect(edges.length).toBeGreaterThan(20);
  expect(new Set(edges).size).toBe(1);
  await page.close();
});

it("a click in the operator's page turns telemetry off", async () => {
  const page = await open("inspector", 390);
  await page.getByRole("button", { name: "Turn all telemetry off", exact: true }).click();
  expect(await page.locator(".state").textContent()).toMatch(/^Telemetry is off\./);
  await page.close();
});

describe("the consent prompt", () => {
  it.each([320, 390, 1280])(
    "fits into a window of %i px, and names its parts for a screen reader",
    async (width) => {
      const page = await open("prompt", width);
      const prompt = page.locator("candor-consent[open]");
      await prompt.waitFor();
      const box = await prompt.boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      expect(await page.getByRole("region", { name: "May Appsmith count what you use?" }).isVisible()).toBe(
        true,
      );
      const [yes, no] = [page.getByRole("button", { name: "Yes" }), page.getByRole("button", { name: "No" })];
      const [left, right] = [await yes.boundingBox(), await no.boundingBox()];
      expect({ width: left?.width, height: left?.height }).toEqual({
        width: right?.width,
        height: right?.height,
      });
      await page.getByText("The events, by name").click();
      expect(await page.getByText("DEPLOY_CLICK").isVisible()).toBe(true);
      await page.close();
    },
  );

  it("links to the page about everything that is collected, and a Yes closes it", async () => {
    const page = await open("prompt", 1280);
    const link = page.getByRole("link", { name: "All that is collected, and why" });
    const href = await link.getAttribute("href");
    expect(await (await page.request.get(new URL(href ?? "", page.url()).href)).text()).toContain(
      "DEPLOY_CLICK",
    );
    await page.getByRole("button", { name: "Yes" }).click();
    await page.locator("candor-consent:not([open])").waitFor({ state: "attached" });
    await page.close();
  });
});
