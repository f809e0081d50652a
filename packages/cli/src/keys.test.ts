import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKeys, openKeys, readConfig } from "@candor/server";
import { afterAll, afterEach, expect, test } from "vitest";
import { findToken, renderKeys, toMissingSentence, toNoTokenSentence } from "./keys.ts";

const parent = mkdtempSync(join(tmpdir(), "candor-keys-"));
const dataDir = join(parent, "data");
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const ALL_KEYS = "installer:I,server:S,client:C";

test("asking for missing keys creates none and says which command does", () => {
  const config = readConfig({ CANDOR_DATA_DIR: dataDir, CANDOR_WRITE_KEYS: "server:S" });
  expect(findKeys(config)).toBeUndefined();
  expect(findToken(config)).toBeUndefined();
  expect(existsSync(dataDir)).toBe(false);
  expect(toMissingSentence(config)).toContain(
    `There are no keys in ${dataDir} yet: \`candor start\` creates them.`,
  );
  expect(toNoTokenSentence(config)).toMatch(
    / For a Candor elsewhere, set CANDOR_ADMIN_TOKEN to its token\.$/,
  );
});

test("keys that are all in the settings need no folder", () => {
  const config = readConfig({
    CANDOR_DATA_DIR: dataDir,
    CANDOR_WRITE_KEYS: ALL_KEYS,
    CANDOR_ADMIN_TOKEN: "A",
  });
  expect(findKeys(config)).toEqual({
    writeKeys: { installer: "I", server: "S", client: "C" },
    adminToken: "A",
  });
  expect(existsSync(dataDir)).toBe(false);
});

test("below a file there are no keys yet", () => {
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "file"), "");
  expect(findKeys(readConfig({ CANDOR_DATA_DIR: join(dataDir, "file", "data") }))).toBeUndefined();
});

test("stored keys are found, and those in the settings take precedence", () => {
  mkdirSync(dataDir);
  const made = openKeys(readConfig({ CANDOR_DATA_DIR: dataDir }), ["kitchen"]);
  expect(findKeys(readConfig({ CANDOR_DATA_DIR: dataDir }))).toEqual(made);
  const config = readConfig({ CANDOR_DATA_DIR: dataDir, CANDOR_WRITE_KEYS: "server:S" });
  expect(findKeys(config)?.writeKeys).toEqual({ ...made.writeKeys, server: "S" });
  expect(findToken(readConfig({ CANDOR_DATA_DIR: dataDir, CANDOR_ADMIN_TOKEN: "A" }))).toBe("A");
});

test("the keys are printed in columns", () => {
  expect(renderKeys({ writeKeys: { installer: "I", server: "S", client: "C" }, adminToken: "A" })).toBe(
    "Token       admin      A\nWrite keys  installer  I\n            server     S\n            client     C\n",
  );
});
