import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDataFolderHeld, openDataFolder, openProductFolder } from "./data-folder.ts";
import { checkFolderOwner } from "./private-folder.ts";

/** Only root can give a file to another user. */
const isRoot = process.geteuid?.() === 0;
const SOMEBODY = 12_345;
let parent: string;
let dir: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "candor-folder-"));
  dir = join(parent, "data");
  openDataFolder(dir).release();
  openProductFolder(dir);
});
afterEach(() => rmSync(parent, { recursive: true }));

function open(): void {
  openDataFolder(dir).release();
}

function put(name: string, text = "planted"): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("a data folder of this user", () => {
  it.each([0o777, 0o755, 0o750, 0o701, 0o1777])("of mode %o becomes inaccessible to other users", (mode) => {
    chmodSync(dir, mode);
    chmodSync(join(dir, "log"), mode);
    open();
    expect([modeOf(dir), modeOf(join(dir, "log"))]).toEqual([0o700, 0o700]);
  });

  it("is opened as it was left, also through a link to it", () => {
    put("store/chdb/data/deep/file");
    put("log/1.open");
    open();
    symlinkSync(dir, join(parent, "link"));
    openDataFolder(join(parent, "link")).release();
  });

  it("is checked without being changed", () => {
    chmodSync(dir, 0o755);
    checkFolderOwner(dir);
    expect([isDataFolderHeld(dir), modeOf(dir)]).toEqual([false, 0o755]);
    const held = openDataFolder(dir);
    expect(isDataFolderHeld(dir)).toBe(true);
    held.release();
  });
});

describe("links inside", () => {
  it.each([
    "log",
    "dedupe",
    "store",
    "quarantine",
    "keys.json",
    "hash-secret",
    "lock",
    "log/1.log",
    "store/chdb",
    "new",
  ])("are rejected: %s", (name) => {
    const target = join(parent, "elsewhere");
    mkdirSync(target);
    rmSync(join(dir, name), { recursive: true, force: true });
    symlinkSync(target, join(dir, name));
    expect(open).toThrow(
      expect.objectContaining({
        code: "data_folder_linked",
        message: expect.stringMatching(new RegExp(`${name} is a link.*CANDOR_DATA_DIR`)),
      }),
    );
  });

  it("are rejected if their target does not exist", () => {
    rmSync(join(dir, "log"), { recursive: true });
    symlinkSync(join(parent, "not-there"), join(dir, "log"));
    expect(open).toThrow(expect.objectContaining({ code: "data_folder_linked" }));
  });
});

describe.skipIf(!isRoot)("what belongs to another user", () => {
  const foreign = expect.objectContaining({
    code: "data_folder_foreign",
    message: expect.stringMatching(/belongs to user 12345, and Candor runs as user 0.*CANDOR_DATA_DIR/),
  });

  it("is rejected as the data folder, and nothing is written into it", () => {
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    chownSync(dir, SOMEBODY, SOMEBODY);
    chmodSync(dir, 0o777);
    expect(open).toThrow(foreign);
    expect(() => readFileSync(join(dir, "lock"))).toThrow("ENOENT");
    expect(modeOf(dir)).toBe(0o777);
  });

  it("is rejected as the link to the data folder", () => {
    symlinkSync(dir, join(parent, "link"));
    lchownSync(join(parent, "link"), SOMEBODY, SOMEBODY);
    expect(() => openDataFolder(join(parent, "link"))).toThrow(foreign);
  });

  it.each([
    "keys.json",
    "hash-secret",
    "lock",
    "log",
    "store",
    "quarantine/x.json",
    "log/1.open",
    "dedupe/seed",
    "new",
  ])("is rejected inside the data folder: %s", (name) => {
    const path = name === "log" || name === "store" ? join(dir, name) : put(name);
    chownSync(path, SOMEBODY, SOMEBODY);
    expect(open).toThrow(foreign);
  });

  it("is rejected at any depth of a folder to which others could write", () => {
    const path = put("store/chdb/data/deep/file");
    chownSync(path, SOMEBODY, SOMEBODY);
    open(); // accepted: only this user could have created the file
    chmodSync(dir, 0o777);
    expect(open).toThrow(foreign);
    expect(open).toThrow(foreign); // the first attempt did not make the folder look safe
  });

  it("is accepted as lost+found, which a file system creates", () => {
    const path = join(dir, "lost+found");
    mkdirSync(path);
    chownSync(path, SOMEBODY, SOMEBODY);
    open();
  });
});
