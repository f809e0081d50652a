import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The folders to which a path in these pages may be relative: the root, or the server's sources. */
const BASES = ["", "packages/server/src/"];

/**
 * Matches a code span that may be a path: plain names. HAS_SLASH_OR_ENDING must match too. A URL's path does
 * not match, because it begins with "/".
 */
const PATH = /^(?:[\w.@-]+\/)*[\w.@-]*$/;
const HAS_SLASH_OR_ENDING = /\/|\.(?:ts|mjs|js|json|sql|md)$/;

/** Matches placeholders, which the reader of the page replaces, so that the path itself does not exist. */
const PLACEHOLDER = /NAME|NNNN/;

describe.each(["ARCHITECTURE.md", "docs/recipes.md"])("%s", (file) => {
  const page = readFileSync(join(ROOT, file), "utf8");

  it("names only paths that exist", () => {
    const spans = new Set([...page.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span));
    const paths = [...spans].filter(
      (span) => PATH.test(span) && HAS_SLASH_OR_ENDING.test(span) && !PLACEHOLDER.test(span),
    );
    const missing = paths.filter((path) => !BASES.some((base) => existsSync(join(ROOT, base + path))));
    expect(missing).toEqual([]);
    expect(paths.length).toBeGreaterThan(30);
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
  "%s links only to files, headings and pictures that exist",
  (file) => {
    // Brackets and parentheses in code are not links.
    const prose = readFileSync(join(ROOT, file), "utf8").replace(
      /^```.*?^```$|^ {4}.*?$|``.+?``|`[^`]*`/gms,
      "",
    );
    const links = [
      ...prose.matchAll(
        /\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]+)?\)|(?:src|srcset)="(?!https?:)([^"]+)"/g,
      ),
    ];
    const broken = links.filter(([, target = "", anchor, picture]) => {
      const path = join(
        ROOT,
        target === "" && picture === undefined ? file : join(dirname(file), picture ?? target),
      );
      if (!existsSync(path)) return true;
      return anchor !== undefined && path.endsWith(".md") && !anchorsOf(path).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  },
);

/** The anchors that GitHub gives to a page's headings. */
function anchorsOf(path: string): readonly string[] {
  const headings = readFileSync(path, "utf8").matchAll(/^#{1,6} (.*)$/gm);
  return [...headings].map(
    ([, text = ""]) =>
      `#${text
        .replace(/\[(.*?)\]\(.*?\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-")}`,
  );
}

function pagesOf(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}
