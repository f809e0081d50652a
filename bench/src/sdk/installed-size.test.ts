import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installedSize, locatePackage } from "./installed-size.ts";

let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "candor-size-")));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Writes a file. @returns the file's size */
function write(path: string, content: string): number {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  return content.length;
}

function manifest(folder: string, content: object): number {
  return write(`${folder}/package.json`, JSON.stringify(content));
}

test("a package counts with all its dependencies, each folder once, without peer dependencies", () => {
  const bytes =
    manifest("node_modules/sdk", {
      dependencies: { a: "1", "@scope/b": "1" },
      peerDependencies: { p: "1" },
    }) +
    write("node_modules/sdk/lib/index.js", "x".repeat(1000)) +
    manifest("node_modules/a", { dependencies: { "@scope/b": "1" } }) +
    manifest("node_modules/@scope/b", { dependencies: { a: "1" } }) +
    write("node_modules/@scope/b/README.md", "y".repeat(500));
  manifest("node_modules/p", {});
  manifest("node_modules/unrelated", {});
  expect(installedSize(join(root, "node_modules/sdk"))).toEqual({ bytes, dependencies: 2 });
});

test("a nested copy is found first, and counts in addition to the outer one", () => {
  const bytes =
    manifest("node_modules/sdk", { dependencies: { a: "2", b: "1" } }) +
    manifest("node_modules/sdk/node_modules/a", { version: "2" }) +
    manifest("node_modules/a", { version: "1" }) +
    manifest("node_modules/b", { dependencies: { a: "1" } });
  const sdk = join(root, "node_modules/sdk");
  expect(installedSize(sdk)).toEqual({ bytes, dependencies: 3 });
  expect(locatePackage("a", sdk)).toBe(join(sdk, "node_modules/a"));
});

test("an optional dependency counts if it is installed", () => {
  const bytes =
    manifest("node_modules/sdk", { optionalDependencies: { here: "1", elsewhere: "1" } }) +
    manifest("node_modules/here", {});
  expect(installedSize(join(root, "node_modules/sdk"))).toEqual({ bytes, dependencies: 1 });
});

test("a dependency that is not installed is an error, not a smaller figure", () => {
  manifest("node_modules/sdk", { dependencies: { "candor-absent": "1" } });
  expect(() => installedSize(join(root, "node_modules/sdk"))).toThrow("candor-absent is not installed");
});
