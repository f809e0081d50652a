import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { createLiveFeed, type LiveFeed } from "./live.ts";

const MIB = 1024 * 1024;
const HEARTBEAT_MS = 100;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function startFeed(): Promise<{ live: LiveFeed; port: number; responses: ServerResponse[] }> {
  const live = createLiveFeed(HEARTBEAT_MS);
  const responses: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    responses.push(response);
    live.add(response, new Map());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    live.close();
    server.close();
    server.closeAllConnections();
  });
  return { live, port: (server.address() as AddressInfo).port, responses };
}

type Shown = Parameters<NonNullable<ReturnType<LiveFeed["watch"]>>>[0];

/** The fields of a kept message that the feed reads. */
const KEPT: Shown = JSON.parse(
  JSON.stringify({
    source: "server",
    text: `{"event":"${"x".repeat(30_000)}"}`,
    trimmed: [],
    envelope: { messageId: "m" },
  }),
);

function show(live: LiveFeed, times: number): void {
  for (let n = 0; n < times; n++) live.watch()?.(KEPT, undefined);
}

it("buffers a megabyte for a watcher that does not read, then disconnects it", async () => {
  const { live, port, responses } = await startFeed();
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  closers.push(() => socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await expect.poll(() => responses.length).toBe(1);
  let most = 0;
  for (let n = 0; n < 100 && !responses[0]?.destroyed; n++) {
    show(live, 20);
    most = Math.max(most, responses[0]?.writableLength ?? 0);
    await sleep(10);
  }
  expect(most).toBeGreaterThan(MIB / 2);
  expect(most).toBeLessThan(1.1 * MIB);
  await expect.poll(() => live.watch(), { timeout: 5000 }).toBeUndefined();
});

it("keeps a watcher that reads, and tells it how many messages it missed", async () => {
  const { live, port, responses } = await startFeed();
  let received = "";
  get(`http://127.0.0.1:${port}/`, (response) => {
    response.setEncoding("utf8").on("data", (data: string) => (received += data));
  }).on("error", () => {});
  await expect.poll(() => responses.length).toBe(1);
  show(live, 50); // all at once, so that nobody can read in between
  await sleep(3 * HEARTBEAT_MS);
  show(live, 1);
  await expect.poll(() => received).toMatch(/event: missed\ndata: \{"missed":\d+\}/);
  expect(live.watch()).toBeDefined();
});

it("accepts 20 watchers and no more", async () => {
  const { live, port, responses } = await startFeed();
  for (let n = 0; n < 20; n++) {
    live.checkRoom();
    get(`http://127.0.0.1:${port}/`, (response) => response.resume()).on("error", () => {});
    await expect.poll(() => responses.length).toBe(n + 1);
  }
  expect(() => live.checkRoom()).toThrow(expect.objectContaining({ code: "too_many_watchers" }));
});
