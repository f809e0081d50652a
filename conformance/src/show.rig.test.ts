import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { adminToken, type Collector, startCollector, writeKeys } from "@candor/bench/collector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../dist/show.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "candor-show-"));
let collector: Collector;
beforeAll(async () => {
  collector = await startCollector({ dataDir: join(root, "data") });
});
afterAll(async () => {
  await collector?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Runs the program as `npm run conformance:show` does. */
function run(env: Record<string, string>): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program],
      { cwd: root, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr });
      },
    );
  });
}

describe("conformance:show", () => {
  it("sends a dozen events with each client and says that they arrived", async () => {
    const { code, stdout, stderr } = await run({
      CANDOR_URL: collector.url,
      CANDOR_WRITE_KEYS: `server:${writeKeys.server}`,
      CANDOR_ADMIN_TOKEN: adminToken,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replace(/userId=[0-9a-f]{32}\)/g, "userId=demo)").split("\n")).toEqual([
      ...["@segment/analytics-node", "@rudderstack/rudder-sdk-node"].flatMap((name) => [
        `${name} sends 12 events to ${collector.url}`,
        "  it reports: 12 delivered, 0 failed",
        "  Candor has: 12 (GET /api/count?userId=demo)",
      ]),
      "Everything has arrived.",
      "",
    ]);
  });

  it("says what the clients were told when the write key is wrong", async () => {
    const { code, stdout } = await run({
      CANDOR_URL: collector.url,
      CANDOR_WRITE_KEYS: "server:not-a-key",
      CANDOR_ADMIN_TOKEN: adminToken,
    });
    expect(code).toBe(1);
    expect(stdout.match(/it reports: 0 delivered, 12 failed/g)).toHaveLength(2);
    expect(stdout).toContain("401");
    expect(stdout).toContain("Not everything is there");
  });

  it.each([
    {
      what: "no Candor answers",
      env: { CANDOR_URL: "http://127.0.0.1:1" },
      says: /^No Candor answers at .+npm start/,
    },
    {
      what: "there are no keys",
      env: { CANDOR_ADMIN_TOKEN: "" },
      says: /^There are no keys in .+keys\.json\. Start Candor/,
    },
    {
      what: "a setting is unreadable",
      env: { CANDOR_URL: "ftp://x" },
      says: /CANDOR_URL is not an HTTP address/,
    },
  ])("says what to do when $what", async ({ env, says }) => {
    const { code, stdout, stderr } = await run({
      CANDOR_WRITE_KEYS: "server:any",
      CANDOR_ADMIN_TOKEN: "any",
      ...env,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain("    at ");
  });
});
