import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFolderStatus } from "../inspector/status.ts";
import { readKeepAlive } from "../keep-alive.ts";
import { countOutbox, readOutboxPage } from "../outbox/outbox-page.ts";
import { makeFolderForTest, openForTest } from "../rig/in-process.ts";
import { readDelivery } from "../send/delivery.ts";
import { readInstance } from "./instance.ts";
import { appendText, readText } from "./plain-file.ts";
import { openStateFolder, readKeptPlan } from "./state-folder.ts";

const TB = 1024 ** 4;
const STRANGE: readonly [what: string, make: (path: string) => void][] = [
  ["a pipe that nobody writes to", (path) => execFileSync("sh", ["-c", 'mkfifo "$0"', path])],
  ["a link to /dev/zero", (path) => symlinkSync("/dev/zero", path)],
  ["a link to another file", (path) => symlinkSync("/etc/passwd", path)],
  ["a folder", (path) => mkdirSync(path)],
  [
    "a file of a terabyte",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, TB);
    },
  ],
];
const NAMES = [
  "receipts.ndjson",
  "instance.json",
  "plan.json",
  "keep-alive.json",
  "delivery.json",
  "sender.lease",
  "outbox/server-notice-20261123T120000Z-aa.ndjson",
  "outbox/server-notice-20261123T120000Z-bb.sent",
];

describe.skipIf(process.platform === "win32").each(STRANGE)("%s in a state folder", (what, make) => {
  it.each(NAMES)("as %s blocks neither the SDK nor a reader", async (name) => {
    const dir = join(makeFolderForTest(), "telemetry");
    const folder = openStateFolder(dir);
    mkdirSync(folder.outbox, { recursive: true });
    writeFileSync(join(folder.outbox, "server-notice-20261123T120000Z-bb.ndjson"), "{}\n");
    make(join(dir, name));
    readInstance(folder.instance);
    readKeptPlan(folder.plan);
    readKeepAlive(folder.keepAlive);
    readDelivery(folder.delivery);
    readFolderStatus(folder, join(dir, "no-policy"));
    expect((await countOutbox(folder.outbox)).files).toBe(1);
    expect((await readOutboxPage(folder.outbox))?.messages.map(({ line }) => line)).toEqual(["{}"]);
    const { telemetry } = openForTest({ stateDir: dir });
    telemetry.track("execute_ACTION_TRIGGERED", {});
    await telemetry.flush({ timeoutMs: 10_000 });
    const { state, reason } = telemetry.status();
    if (what !== "a folder") expect(state).toBe(name === "receipts.ndjson" ? "off" : "on");
    else expect([undefined, "state_unwritable", "receipt_unreadable"]).toContain(reason); // it cannot be replaced
    expect(telemetry.answer("notice")).toBe(name !== "receipts.ndjson");
    expect(telemetry.answer("no")).toBe(name !== "receipts.ndjson");
    await telemetry.close({ timeoutMs: 1000 });
  });
});

describe("a text", () => {
  it.each(STRANGE)("is not read from %s", (_what, make) => {
    const path = join(makeFolderForTest(), "file");
    make(path);
    expect(readText(path)).toBeNull();
    expect(() => appendText(path, "more")).toThrow();
  });

  it("may be behind a link if an administrator keeps it, but only in a plain file", () => {
    const dir = makeFolderForTest();
    const link = join(dir, "link");
    writeFileSync(join(dir, "policy"), "off\n");
    symlinkSync(join(dir, "policy"), link);
    expect(readText(link, { mayBeLink: true })).toBe("off\n");
    rmSync(link);
    symlinkSync("/dev/zero", link);
    expect(readText(link, { mayBeLink: true })).toBeNull();
    expect(readText(join(dir, "none"))).toBeUndefined();
    expect(readText(join(dir, "policy", "none"))).toBeUndefined();
  });

  it("is appended to a file that only this user can access", () => {
    const path = join(makeFolderForTest(), "file");
    for (const text of ["a\n", "b\n"]) appendText(path, text);
    expect(readFileSync(path, "utf8")).toBe("a\nb\n");
  });
});
