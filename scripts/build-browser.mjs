// Bundles the browser SDK: for a script tag (`candor.iife.js`), as an ES module (`candor.js`), and its
// optional modules. It prints the sizes of the bundles, unless `--quiet` is given. With `--check`, it fails
// if the SDK is too large or uses something that its oldest browsers do not support.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { parse } from "acorn";
import { rolldown } from "rolldown";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages", "browser");
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** The oldest browsers that the SDK supports. */
const TARGET = ["chrome100", "firefox115", "safari15"];

const BUNDLES = [
  { entry: "script.ts", file: "candor.iife.js", format: "iife" },
  { entry: "index.ts", file: "candor.js", format: "esm" },
  { entry: "consent-prompt.ts", file: "candor-consent.js", format: "esm" },
  { entry: "web-vitals.ts", file: "candor-web-vitals.js", format: "esm" },
];

async function bundleBrowserSdk() {
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
  writeFileSync(join(folder, "dist", "integrity.json"), `${JSON.stringify(integrity(), null, 2)}\n`);
}

/** For each file, the value of a script tag's `integrity` attribute. */
function integrity() {
  return Object.fromEntries(
    BUNDLES.map(({ file }) => {
      const hash = createHash("sha384").update(readFileSync(join(folder, "dist", file)));
      return [file, `sha384-${hash.digest("base64")}`];
    }),
  );
}

/** For each file, the size in bytes when minified, and when also compressed with brotli. */
function browserSizes() {
  return Object.fromEntries(
    BUNDLES.map(({ file }) => {
      const bytes = readFileSync(join(folder, "dist", file));
      return [file, { minified: bytes.length, brotli: brotliCompressSync(bytes).length }];
    }),
  );
}

/** The maximum size, after brotli, of the script that every page loads. */
const MAX_BYTES = 3000;
/**
 * The newest version of ECMAScript whose syntax Safari 15 supports, except for static blocks and lookbehind,
 * which TOO_NEW finds.
 */
const SYNTAX = { ecmaVersion: 2022, sourceType: "module" };
/** Features that the oldest browsers lack and that bundlers do not replace. */
const TOO_NEW =
  /Object\.hasOwn|\.at\(|structuredClone|\.findLast|\.toSorted|randomUUID|AbortSignal|\(\?<[=!]|\bstatic\s*\{/;

/** The faults of the bundles, as sentences. */
function faults() {
  const { brotli } = browserSizes()["candor.iife.js"];
  const tooLarge =
    brotli > MAX_BYTES ? [`candor.iife.js has ${brotli} bytes, and may have ${MAX_BYTES}.`] : [];
  const unreadable = BUNDLES.flatMap(({ file }) => {
    const code = readFileSync(join(folder, "dist", file), "utf8");
    const [found] = file.includes("vitals") ? [] : (TOO_NEW.exec(code) ?? []);
    try {
      parse(code, SYNTAX);
    } catch (error) {
      return [`${file} has syntax that Safari 15 does not read: ${error.message}`];
    }
    return found === undefined
      ? []
      : [`${file} uses ${found}, which some browsers that it is for do not have.`];
  });
  return [...tooLarge, ...unreadable];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundleBrowserSdk();
  if (!process.argv.includes("--quiet")) console.table(browserSizes());
  if (process.argv.includes("--check")) {
    for (const fault of faults()) console.error(fault);
    process.exitCode = faults().length > 0 ? 1 : 0;
  }
}
