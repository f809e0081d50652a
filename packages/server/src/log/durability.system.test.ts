// @module-tag root
// @module-tag strace
// @module-tag mounts
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCollector, writeKeys } from "@candor/bench/collector";
import { afterAll, describe, expect, it } from "vitest";
import { answerOf, eventually, OBSERVE_PLAN } from "../rig/in-process.ts";

const root = mkdtempSync(join(tmpdir(), "candor-system-"));
afterAll(() => rmSync(root, { recursive: true }));

const authorization = `Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}`;
const NO_STORE = { CANDOR_CLICKHOUSE_URL: "http://127.0.0.1:1", CANDOR_PLAN: OBSERVE_PLAN };

function track(url: string, messageId: string, filler = ""): Promise<Response> {
  const body = JSON.stringify({ type: "track", event: "e", userId: "u", messageId, properties: { filler } });
  return fetch(`${url}/v1/track`, { method: "POST", headers: { authorization }, body });
}

/** Records the system calls of a collector that receives `count` messages, one after another. */
async function traceOf(name: string, count: number, env: Record<string, string>): Promise<string[]> {
  const output = join(root, `${name}.strace`);
  const collector = await startCollector({ dataDir: join(root, name), env: { ...NO_STORE, ...env } });
  const calls = "pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,sendto,sendmsg";
  const strace = spawn(
    "strace",
    ["-f", "-p", String(collector.pid), "-e", `trace=${calls}`, "-y", "-s", "64", "-o", output],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  await new Promise((resolve) => strace.stderr.once("data", resolve)); // "Process N attached"
  for (let n = 0; n < count; n++) expect((await track(collector.url, `traced-${n}`)).status).toBe(200);
  strace.kill("SIGINT");
  await new Promise((resolve) => strace.once("exit", resolve));
  await collector.kill("both");
  return readFileSync(output, "utf8").split("\n");
}

/**
 * Checks a trace: each 200 must be preceded by a write to a segment file and by an fdatasync of that file
 * that has returned.
 * @returns how many 200s were sent in that order, and how many were sent too early
 */
function judge(trace: readonly string[]): { inOrder: number; tooEarly: number } {
  const result = { inOrder: 0, tooEarly: 0 };
  let isWritten = false;
  let isFlushed = false;
  const flushing = new Set<string>(); // threads inside an fdatasync of a segment file
  for (const line of trace) {
    const thread = line.split(/\s+/, 1)[0] ?? "";
    if (/ pwritev?(64|2)?\(\d+<[^>]*\.open>/.test(line)) isWritten = true;
    if (/fdatasync\(\d+<[^>]*\.open>/.test(line)) {
      if (line.includes("unfinished")) flushing.add(thread);
      else isFlushed = isWritten;
    }
    if (line.includes("fdatasync resumed") && flushing.delete(thread)) isFlushed = isWritten;
    if (/"HTTP\/1\.1 200 OK/.test(line)) {
      if (isFlushed) result.inOrder += 1;
      else result.tooEarly += 1;
      isWritten = false;
      isFlushed = false;
    }
  }
  return result;
}

describe("a 200", () => {
  it("is sent only after its message was written and flushed, as the order of system calls shows", async () => {
    expect(judge(await traceOf("flushed", 25, {}))).toEqual({ inOrder: 25, tooEarly: 0 });
  });

  it("would fail that check if nothing were flushed", async () => {
    const trap = join(root, "no-flush.mjs");
    writeFileSync(
      trap,
      `import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
       const lie = (fd, done) => setImmediate(done, null);
       fs.fdatasync = lie; syncBuiltinESMExports();`,
    );
    expect(judge(await traceOf("unflushed", 25, { NODE_OPTIONS: `--import=${trap}` }))).toEqual({
      inOrder: 0,
      tooEarly: 25,
    });
  });
});

describe("a full disk", () => {
  it("is answered with 503 and Retry-After, never a false 200; acknowledged messages survive it", async () => {
    const disk = join(root, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]);
    const collector = await startCollector({ dataDir: join(disk, "data"), env: NO_STORE });
    try {
      const acknowledged: string[] = [];
      let refused: Response | undefined;
      for (let n = 0; n < 1000 && refused === undefined; n++) {
        const response = await track(collector.url, `full-${n}`, "x".repeat(20_000));
        if (response.status === 200) acknowledged.push(`full-${n}`);
        else refused = response;
      }
      expect(acknowledged.length).toBeGreaterThan(50);
      expect([refused?.status, refused?.headers.get("retry-after")]).toEqual([503, "30"]);
      expect(refused && (await answerOf(refused))).toMatchObject({ success: false, code: "disk_full" });
      const readiness = await eventually(
        async () => (await fetch(`${collector.url}/readyz`)).status,
        (status) => status === 503,
      );
      expect(readiness).toBe(503);

      execFileSync("mount", ["-o", "remount,size=64m", disk]);
      const again = `full-${acknowledged.length}`;
      // A rejected message is not remembered.
      expect((await track(collector.url, again, "y")).status).toBe(200);
      await collector.kill("both");
      const log = execFileSync("sh", ["-c", `cat ${join(disk, "data", "log")}/*`], {
        maxBuffer: 1e8,
      }).toString("latin1");
      for (const id of [...acknowledged, again]) expect(log.split(`\t${id}\t`)).toHaveLength(2);
    } finally {
      await collector.kill("both");
      execFileSync("umount", [disk]);
    }
  });
});
