import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The folders to which a path in ARCHITECTURE.md may be relative: the root, or the server's sources. */
const BASES = ["", "packages/server/src/"];

/**
 * Matches a code span that may be a path: plain names. HAS_SLASH_OR_ENDING must match too. A URL's path does
 * not match, because it begins with "/".
 */
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
  it("names only paths that exist", () => {
    expect(named.filter(({ found }) => found.length === 0).map(({ path }) => path)).toEqual([]);
    expect(named.length).toBeGreaterThan(30);
  });

  it("can be read in ten minutes: it has at most 150 lines", () => {
    expect(page.split("\n").length).toBeLessThanOrEqual(151);
  });
});

it("the file index contains sentences, without comment markers", () => {
  const rows = readFileSync(join(ROOT, "docs/file-index.md"), "utf8").match(/^\| \[.*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(300);
  expect(rows.filter((row) => !/\) \| [A-Z`].*[.!?] \|$/.test(row))).toEqual([]);
});

it("README has at most 150 lines", () => {
  expect(readFileSync(join(ROOT, "README.md"), "utf8").split("\n").length).toBeLessThanOrEqual(151);
});

it.each(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...pagesOf("docs"), ...pagesOf("docs/guides")])(
  "%s links only to files and pictures that exist",
  (file) => {
    // Brackets and parentheses in code are not links.
    const prose = readFileSync(join(ROOT, file), "utf8").replace(
      /^```.*?^```$|^ {4}.*?$|``.+?``|`[^`]*`/gms,
      "",
    );
    const links = [
      ...prose.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)|(?:src|srcset)="(?!https?:)([^"]+)"/g),
    ];
    const targets = links.map(([, target, picture = ""]) => target ?? picture);
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(file), target)))).toEqual([]);
  },
);

function pagesOf(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}
