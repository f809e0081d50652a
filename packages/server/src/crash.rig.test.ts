import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { adminToken, type Collector, startCollector, writeKeys } from "@candor/bench/collector";
import { runKillRounds } from "@candor/bench/kill-rounds";
import { afterAll, describe, expect, it } from "vitest";
import { answerOf, eventually, OBSERVE_PLAN } from "./rig/in-process.ts";

const root = mkdtempSync(join(tmpdir(), "candor-crash-"));
afterAll(() => rmSync(root, { recursive: true }));
const authorization = `Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}`;

function send(url: string, prefix: string, count: number): Promise<Response> {
  const batch = Array.from({ length: count }, (_, n) => ({
    type: "track",
    event: "Crash",
    userId: "u",
    messageId: `${prefix}-${n}`,
  }));
  return fetch(`${url}/v1/batch`, {
    method: "POST",
    headers: { authorization },
    body: JSON.stringify({ batch }),
  });
}

/** Returns the messageId of every stored row, read page by page. A row stored twice is returned twice. */
async function storedIds({ url }: Collector): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const response: Response = await fetch(
      `${url}/api/events?event=Crash&limit=1000${cursor && `&cursor=${cursor}`}`,
      {
        headers: { authorization: `Bearer ${adminToken}` },
      },
    );
    const { events = [], next = null } = await answerOf(response);
    ids.push(...events.map((event: { messageId: string }) => event.messageId));
    cursor = next;
  }
  return ids.sort();
}

const idsOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`).sort();

describe("kill -9", () => {
  it("of the collector, the engine or both, five times under load, loses or duplicates no acknowledged message", async () => {
    const report = await runKillRounds({ rounds: 5, seed: 20261123 });
    const { missing, twice, unknown, rollupDifferences, refused, unsettled, leftEngines } = report;
    expect({ missing, twice, unknown, rollupDifferences, refused, unsettled, leftEngines }).toEqual({
      rollupDifferences: [],
      missing: [],
      twice: [],
      unknown: [],
      refused: [],
      unsettled: 0,
      leftEngines: [],
    });
    expect(report.acknowledged).toBeGreaterThan(1000);
    expect(Object.values(report.kills).reduce((sum, kills) => sum + kills)).toBe(5);
  });

  it("between the store's acknowledgement and the deletion from the log still stores each message once", async () => {
    // The process kills itself when it is about to delete a segment file whose rows the store has
    // acknowledged.
    const trap = join(root, "trap.mjs");
    writeFileSync(
      trap,
      `import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
       const rm = fs.promises.rm;
       fs.promises.rm = (path, how) => String(path).endsWith(".log") ? process.kill(process.pid, "SIGKILL") : rm(path, how);
       syncBuiltinESMExports();`,
    );
    const dataDir = join(root, "trap");
    for (let round = 0; round < 3; round++) {
      const trapped = await startCollector({
        dataDir,
        env: { CANDOR_PLAN: OBSERVE_PLAN, NODE_OPTIONS: `--import=${trap}` },
      });
      // A later round dies at once, when it is about to delete the segment file of the round before.
      await send(trapped.url, `round${round}`, 500).catch(() => {});
      await eventually(
        async () => trapped.isRunning(),
        (isRunning) => !isRunning,
      );
      expect(trapped.isRunning()).toBe(false);
      await trapped.kill("both");
    }
    const collector = await startCollector({ dataDir, env: { CANDOR_PLAN: OBSERVE_PLAN } });
    const retried = await send(collector.url, "round0", 500); // the first answer may have been lost
    expect(retried.status).toBe(200);
    const ids = await eventually(
      () => storedIds(collector),
      (stored) => stored.length >= 500,
    );
    expect(ids.filter((id) => id.startsWith("round0"))).toEqual(idsOf("round0", 500));
    expect(new Set(ids).size).toBe(ids.length);
    expect(await collector.stop()).toBe(0);
  });

  it("of the engine alone makes no request fail, and the store soon catches up", async () => {
    const collector = await startCollector({
      dataDir: join(root, "engine"),
      env: { CANDOR_PLAN: OBSERVE_PLAN },
    });
    let sent = 0;
    for (let kills = 0; kills < 3; kills++) {
      await eventually(
        async () => collector.enginePid(),
        (pid) => pid !== undefined,
      );
      await collector.kill("engine");
      for (const until = Date.now() + 1000; Date.now() < until; sent++) {
        expect((await send(collector.url, `batch${sent}`, 100)).status).toBe(200);
        await sleep(10);
      }
    }
    const ids = await eventually(
      () => storedIds(collector),
      (stored) => stored.length >= sent * 100,
    );
    expect(ids).toEqual(
      Array.from({ length: sent }, (_, n) => idsOf(`batch${n}`, 100))
        .flat()
        .sort(),
    );
    expect(await collector.stop()).toBe(0);
  });
});

describe("a store that cannot be reached", () => {
  it("loses no message: requests still get 200, and the events are stored once its port opens", async () => {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const collector = await startCollector({
      dataDir: join(root, "away"),
      env: { CANDOR_PLAN: OBSERVE_PLAN, CANDOR_CLICKHOUSE_URL: `http://127.0.0.1:${port}` },
    });
    for (let n = 0; n < 20; n++) expect((await send(collector.url, `early${n}`, 50)).status).toBe(200);
    expect((await fetch(`${collector.url}/readyz`)).status).toBe(200);

    const { startEngine } = await import("@candor/engine");
    const engine = await startEngine({ dataDir: join(root, "late-store") });
    await engine.ready();
    const { request } = await import("node:http");
    const gate = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const onward = request({ socketPath: engine.socketPath, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => gate.listen(port, "127.0.0.1", resolve));
    const ids = await eventually(
      () => storedIds(collector),
      (stored) => stored.length === 1000,
    );
    expect(ids).toEqual(
      Array.from({ length: 20 }, (_, n) => idsOf(`early${n}`, 50))
        .flat()
        .sort(),
    );
    expect(await collector.stop()).toBe(0);
    gate.close();
    gate.closeAllConnections();
    await engine.close();
  });
});
