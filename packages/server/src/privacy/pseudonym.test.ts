import { createHmac } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPseudonyms } from "./pseudonym.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-pseudonym-"));
  file = join(folder, "pseudonym.key");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a pseudonym is the start of the value's HMAC-SHA-256 under the secret", () => {
  const secret = Buffer.alloc(32, 7);
  const pseudonym = openPseudonyms(file, () => secret);
  for (const value of ["111.65.255.130", "", "bob@example.com", "é", "a".repeat(10_000), "111.65.255.130"]) {
    expect(pseudonym(value)).toBe(
      createHmac("sha256", secret).update(value, "utf8").digest("hex").slice(0, 32),
    );
  }
});

test("the secret is created once, and only its owner may read it", () => {
  const first = openPseudonyms(file)("bob");
  expect(readdirSync(folder)).toEqual(["pseudonym.key"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  chmodSync(file, 0o644);
  expect(openPseudonyms(file)("bob")).toBe(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("another secret gives other pseudonyms", () => {
  expect(openPseudonyms(file)("bob")).not.toBe(openPseudonyms(join(folder, "other.key"))("bob"));
});

test.each([
  "",
  "\n",
  "a".repeat(63),
  "a".repeat(65),
  "A".repeat(64),
  `${"a".repeat(64)}\n\n`,
  "g".repeat(64),
])("a damaged secret %j is rejected and left unchanged", (content) => {
  writeFileSync(file, content);
  expect(() => openPseudonyms(file)).toThrow(
    expect.objectContaining({
      code: "keys_unreadable",
      message: expect.stringContaining("(not 64 hex digits)"),
    }),
  );
  expect(readFileSync(file, "utf8")).toBe(content);
});

test("a folder in place of the secret is rejected", () => {
  mkdirSync(file);
  expect(() => openPseudonyms(file)).toThrow(expect.objectContaining({ code: "keys_unreadable" }));
});
