// Makes the screenshots in docs/images/. For a review, `node scripts/screenshots.mjs FOLDER` makes
// screenshots of whole pages instead: the operator's page, the public page and the consent prompt, each in
// light mode, in dark mode and on a phone. Needs a build, and `chromium` on the PATH.
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
/** The screenshots that README and the guides use, each with the URL fragment of the part to show. */
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
