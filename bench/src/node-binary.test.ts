import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeBinaryAt } from "./node-binary.ts";

const folder = mkdtempSync(join(tmpdir(), "candor-node-binary-"));
writeFileSync(join(folder, "plain.txt"), "20.20.2\n");
writeFileSync(join(folder, "version.sh"), "#!/bin/sh\necho 26.0.0\n", { mode: 0o755 });

afterAll(() => rmSync(folder, { recursive: true }));

test("a Node binary is returned with its path and version", () => {
  expect(nodeBinaryAt(process.execPath)).toEqual({ path: process.execPath, version: process.versions.node });
});

test.each([
  ["a path with nothing there", join(folder, "missing")],
  ["a folder", folder],
  ["a file that cannot be run", join(folder, "plain.txt")],
  ["another program", "/bin/sh"],
  ["a program that prints a version", join(folder, "version.sh")],
  ["an empty path", ""],
])("%s is refused, and the error says what to give instead", (_case, path) => {
  expect(() => nodeBinaryAt(path)).toThrow(/this is not a Node executable\. Give the file itself/);
});
