import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Child, makeRigFolder, QUIET, startChild } from "./rig/child.ts";
import { type RigCollector, startCollector } from "./rig/collector.ts";

const ROUNDS = 16;
const NUMBERS_A_PROCESS = 10_000;
const SEED = 20261123;

let collector: RigCollector;
beforeAll(async () => {
  collector = await startCollector(process.env.PATH ?? "");
});
afterAll(() => collector?.stop());

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Delay {
  readonly url: string;
  /** How many times the collector accepted each message, by messageId. */
  readonly taken: ReadonlyMap<string, number>;
  close(): void;
}

/**
 * Starts a slow relay to the collector. Because of its delays, some processes are killed before the collector
 * accepts their batch, and some after that but before they know of it.
 */
async function startDelay(target: string, random: () => number): Promise<Delay> {
  const taken = new Map<string, number>();
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { authorization = "", "content-encoding": encoding } = incoming.headers;
    const headers = {
      authorization,
      "content-type": "application/json",
      ...(encoding === "gzip" ? { "content-encoding": encoding } : {}),
    };
    await sleep(random() * 40);
    if (incoming.socket.destroyed) return; // the request was lost on the network
    const answer = await fetch(target + incoming.url, { method: "POST", headers, body });
    const text = await answer.text();
    if (encoding === "gzip" && answer.status === 200) {
      const { batch } = JSON.parse(gunzipSync(body).toString()) as { batch: { messageId: string }[] };
      for (const { messageId } of batch) taken.set(messageId, (taken.get(messageId) ?? 0) + 1);
    }
    await sleep(random() * 80);
    outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy()); // the sending process was killed
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Tracks events endlessly, and notes the number of each event that is promised to be on disk: its track()
 * call returned more than 100 ms ago, and the disk accepts writes. The test knows that the disk does so
 * because a write of its own, begun after the SDK's must have begun, has completed.
 */
function promising(from: number, noteFile: string): string {
  return `
    import { openSync } from "node:fs";
    import { open } from "node:fs/promises";
    const probe = await open(${JSON.stringify(`${noteFile}.probe`)}, "a");
    let probedAtMs = 0;
    const probeOn = async () => {
      for (;;) {
        const begunAtMs = performance.now();
        await probe.write("x");
        probedAtMs = begunAtMs;
        await sleep(5);
      }
    };
    void probeOn();
    const note = openSync(${JSON.stringify(noteFile)}, "a");
    const returned = [];
    for (let n = ${from}; n < ${from + NUMBERS_A_PROCESS}; ) {
      for (const end = n + 1 + Math.floor(Math.random() * 12); n < end; n++) {
        track(n, n + 1);
        returned.push({ n, atMs: performance.now() });
      }
      await sleep(3);
      const due = [];
      const untilMs = Math.min(performance.now() - 100, probedAtMs - 60);
      while (returned[0]?.atMs < untilMs) due.push(returned.shift().n);
      if (due.length > 0) writeSync(note, due.join("\\n") + "\\n");
    }`;
}

describe("kill -9", () => {
  it(`of two processes on one folder, ${ROUNDS} times at any moment, loses no promised message and stores none twice`, async () => {
    const random = createRandom(SEED);
    const delay = await startDelay(collector.url, random);
    const folder = makeRigFolder();
    const stateDir = join(folder, "telemetry");
    const noteFile = join(folder, "promised");
    let next = 0;
    const start = (): Child => {
      const program = promising(next, noteFile);
      next += NUMBERS_A_PROCESS;
      // The child's clock runs 50 times as fast, so that the lease of a killed process expires within the
      // round.
      return startChild({ stateDir, host: delay.url, speed: 50, options: { sendEveryMs: 500 }, program });
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const pair = [start(), start()];
      await Promise.all(
        pair.map(async (child) => {
          await sleep(200 + random() * 1500);
          expect(child.isRunning()).toBe(true);
          await child.kill();
        }),
      );
    }
    const last = startChild({
      stateDir,
      host: delay.url,
      speed: 20,
      program: "while (!(await telemetry.flush({ timeoutMs: 20_000 }))) await sleep(100);",
    });
    expect(await last.ended).toEqual(QUIET);
    delay.close();

    const promised = readFileSync(noteFile, "utf8").trimEnd().split("\n").map(Number);
    const stored = await collector.readStored(delay.taken.size);
    const numbers = stored.map(({ properties }) => properties.timeElapsed);
    const there = new Set(numbers);
    expect(promised.filter((number) => !there.has(number))).toEqual([]);
    expect([numbers.length, await collector.count()]).toEqual([there.size, there.size]);
    expect(promised.length).toBeGreaterThan(ROUNDS * 100);
    // Some kills happened at the critical moment: after the collector's 200, before the cursor was written.
    expect([...delay.taken.values()].filter((times) => times > 1).length).toBeGreaterThan(0);
  });
});
