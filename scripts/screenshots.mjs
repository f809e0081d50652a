// Makes the pictures in docs/images/. `node scripts/screenshots.mjs FOLDER` makes all of them instead, whole pages, to be looked at:
// the operator's page, the public page and the question to a person, light, dark and on a phone. Needs a build and `chromium` on the PATH.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";
import { openBrowser, showPages } from "./show-pages.mjs";

const [, , folder] = process.argv;
const DESKTOP = { viewport: { width: 1120, height: 820 }, deviceScaleFactor: 1.5 };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const SHOTS = [
  { name: "light", colorScheme: "light", ...DESKTOP },
  { name: "dark", colorScheme: "dark", ...DESKTOP },
  { name: "phone", colorScheme: "light", ...PHONE },
];
/** Those that README and the guides show, and where on the page. */
const USED = {
  "inspector-light": "",
  "inspector-dark": "",
  "privacy-phone": "#server-track-instance-active",
  "prompt-light": "",
  "prompt-dark": "",
};

const target = folder ?? join(root, "docs/images");
mkdirSync(target, { recursive: true });
const pages = await showPages();
const browser = await openBrowser();
try {
  for (const page of ["inspector", "privacy", "prompt"]) {
    for (const { name, ...options } of SHOTS) {
      const file = `${page}-${name}`;
      if (folder === undefined && !(file in USED)) continue;
      const context = await browser.newContext({ reducedMotion: "reduce", ...options });
      const tab = await context.newPage();
      await tab.goto(pages[page] + (USED[file] ?? ""), { waitUntil: "load" });
      const path = join(target, `${file}.png`);
      const prompt = tab.locator("candor-consent[open]");
      if (page === "prompt") await prompt.waitFor();
      if (page === "prompt" && folder === undefined) await prompt.screenshot({ path });
      else await tab.screenshot({ path, fullPage: folder !== undefined });
      await context.close();
    }
  }
} finally {
  await browser.close();
  await pages.close();
}
