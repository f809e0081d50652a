// Bundles the browser SDK: for a script tag (`candor.iife.js`), as an ES module (`candor.js`), and the files beside it. Run as a
// program, it also prints their sizes, unless it is told `--quiet`.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { rolldown } from "rolldown";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages", "browser");
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** The oldest browsers that it is for. */
export const TARGET = ["chrome100", "firefox115", "safari15"];

const BUNDLES = [
  { entry: "script.ts", file: "candor.iife.js", format: "iife" },
  { entry: "index.ts", file: "candor.js", format: "esm" },
  { entry: "consent-prompt.ts", file: "candor-consent.js", format: "esm" },
  { entry: "web-vitals.ts", file: "candor-web-vitals.js", format: "esm" },
];

export async function bundleBrowserSdk() {
  for (const { entry, file, format } of BUNDLES) {
    const define = { CANDOR_VERSION: JSON.stringify(version) };
    const bundle = await rolldown({
      input: join(folder, "src", entry),
      transform: { target: TARGET, define },
    });
    const { output } = await bundle.generate({ format, minify: true });
    writeFileSync(join(folder, "dist", file), output[0].code);
    await bundle.close();
  }
}

/** By file: bytes minified, and of these after brotli. */
export function browserSizes() {
  return Object.fromEntries(
    BUNDLES.map(({ file }) => {
      const bytes = readFileSync(join(folder, "dist", file));
      return [file, { minified: bytes.length, brotli: brotliCompressSync(bytes).length }];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleBrowserSdk();
  if (!process.argv.includes("--quiet")) console.table(browserSizes());
}
