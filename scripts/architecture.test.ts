import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where a path of ARCHITECTURE.md may begin: at the root, or in the server's sources. */
const BASES = ["", "packages/server/src/"];

/** A code span that is a path: plain name parts, with a slash among them or a known ending. A URL's path begins with "/". */
const PATH = /^(?:[\w.@-]+\/)*[\w.@-]*$/;
const HAS_SLASH_OR_ENDING = /\/|\.(?:ts|mjs|js|json|sql|md)$/;

const page = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
const named = [...new Set([...page.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span))]
  .filter((span) => PATH.test(span) && HAS_SLASH_OR_ENDING.test(span))
  .map((path) => ({
    path,
    found: BASES.map((base) => base + path).filter((at) => existsSync(join(ROOT, at))),
  }));

describe("ARCHITECTURE.md", () => {
  it("names no path that is not there", () => {
    expect(named.filter(({ found }) => found.length === 0).map(({ path }) => path)).toEqual([]);
    expect(named.length).toBeGreaterThan(30);
  });

  it("names every source file of packages/, or a folder that it lies in", () => {
    const files = new Set(named.flatMap(({ found }) => found));
    // A package's whole src/ would cover everything and say nothing.
    const folders = [...files].filter((path) => /^packages\/[^/]+\/src\/.+\/$/.test(path));
    const missing = sourceFiles().filter(
      (file) => !files.has(file) && !folders.some((folder) => file.startsWith(folder)),
    );
    expect(missing).toEqual([]);
  });
});

/** The sources of all packages, without tests and contract suites, from the root. */
function sourceFiles(): string[] {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const src = `packages/${name}/src`;
    return readdirSync(join(ROOT, src), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !/\.(?:test|contract)\.ts$/.test(file))
      .map((file) => `${src}/${file}`);
  });
}
