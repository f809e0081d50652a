import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Decision } from "@candor/consent";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createHttpClient } from "../http/client.ts";
import { listOutboxFiles } from "../outbox/outbox-file.ts";
import { makeFolderForTest } from "../rig/in-process.ts";
import { type RecordedRequest, type Recorder, startRecorder } from "../rig/recorder.ts";
import type { Source } from "../scope.ts";
import { Lease } from "../state/lease.ts";
import { openStateFolder } from "../state/state-folder.ts";
import { readDelivery } from "./delivery.ts";
import { Sender, type SenderOptions } from "./sender.ts";

const DAY_MS = 86_400_000;
const ALLOWED: Decision = { allow: true, reason: "notice_shown", coversVersion: 1 };
const DENIED: Decision = { allow: false, reason: "stored_no" };
let recorder: Recorder;

beforeEach(async () => {
  recorder = await startRecorder();
});
afterEach(() => recorder.close());

interface SenderTestOptions extends Partial<SenderOptions> {
  readonly now?: () => number;
  readonly sinceBoot?: () => number;
  readonly bootId?: () => string | undefined;
}

function open(options: SenderTestOptions = {}) {
  const folder = openStateFolder(makeFolderForTest());
  mkdirSync(folder.outbox);
  const now = options.now ?? Date.now;
  const http = createHttpClient({ environment: {} });
  /** Creates a sender as another process on the same folder would. */
  const another = (more: Partial<SenderOptions> = {}): Sender =>
    new Sender({
      folder,
      http,
      host: new URL(recorder.url),
      writeKey: "server_key",
      lease: new Lease({ path: folder.lease, now }),
      maxOutboxBytes: 50_000_000,
      gate: { check: () => ALLOWED },
      signal: new AbortController().signal,
      onFailed: () => {},
      onRefused: () => {},
      clock: {
        now,
        sinceBoot: options.sinceBoot ?? (() => performance.now()),
        bootId: options.bootId ?? (() => undefined),
      },
      random: () => 1,
      ...options,
      ...more,
    });
  const write = (source: Source, ids: readonly string[], name = "aa", more = ""): string => {
    const path = join(folder.outbox, `${source}-notice-20261123T120000Z-${name}.ndjson`);
    appendFileSync(
      path,
      ids.map((messageId) => `${JSON.stringify({ type: "track", messageId })}\n`).join("") + more,
    );
    return path;
  };
  return { folder, sender: another(), another, write };
}

function ids(): readonly string[] {
  return recorder.kept.map(({ messageId }) => messageId);
}

function batches(): readonly RecordedRequest[] {
  return recorder.requests.filter(({ path }) => path === "/v1/batch");
}

function reply(response: ServerResponse, status: number, body: object = {}): true {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
  return true;
}

describe("the sender", () => {
  it("sends the exact bytes in the outbox, and keeps them there", async () => {
    const { folder, sender, write } = open();
    const path = write("server", [], "aa", '{"type":"track",  "messageId":"é","n":1.0}\n{"messageId":"2"}\n');
    expect(await sender.run()).toEqual({ end: "done" });
    const [batch] = batches();
    expect(batch?.text).toMatch(
      /^\{"batch":\[\{"type":"track", {2}"messageId":"é","n":1\.0\},\{"messageId":"2"\}\],"sentAt":"[^"]+Z"\}$/,
    );
    expect(batch?.authorization).toBe(`Basic ${Buffer.from("server_key:").toString("base64")}`);
    expect(batch?.retryCount).toBeUndefined();
    const [file] = await listOutboxFiles(folder.outbox);
    expect(file).toMatchObject({ path, sentBytes: file?.sizeBytes });
    expect(existsSync(folder.lease)).toBe(false);
  });

  it("records the collector that it sends to, and makes no other request to it", async () => {
    const { folder, sender, another, write } = open();
    write("server", ["1"]);
    await sender.run();
    const next = await startRecorder();
    onTestFinished(() => next.close());
    write("server", ["2"]);
    await another({ host: new URL(next.url) }).run();
    for (const { requests } of [recorder, next])
      expect(requests.map(({ path }) => path)).toEqual(["/v1/batch"]);
    expect(readDelivery(folder.delivery)).toMatchObject({ accepted: 2, collector: `${next.url}/` });
  });

  it("sends only what is new, and nothing if nothing is", async () => {
    const { sender, write } = open();
    write("server", ["1", "2"], "aa", '{"messageId":"half');
    await sender.run();
    await sender.run();
    expect(ids()).toEqual(["1", "2"]);
    write("server", [], "aa", '"}\n');
    await sender.run();
    expect(ids()).toEqual(["1", "2", "half"]);
  });

  it("sends other sources' messages, which carry their own key, in a batch for each source", async () => {
    const { sender, write } = open();
    write("installer", ["1"], "bb");
    write("client", ["2"], "cc");
    await sender.run();
    expect(batches().map(({ messages }) => messages.map(({ messageId }) => messageId))).toEqual([
      ["2"],
      ["1"],
    ]);
  });

  it("keeps what the collector cannot accept now, and says how often it tried", async () => {
    const { folder, sender, write } = open();
    write("server", ["1"]);
    recorder.answer = (_request, response) => reply(response, 503);
    expect(await sender.run()).toEqual({ end: "later", afterMs: 1000, isAsked: false });
    expect(await sender.run()).toEqual({ end: "later", afterMs: 2000, isAsked: false });
    expect(readDelivery(folder.delivery)).toMatchObject({
      accepted: 0,
      lastFault: "http_503",
    });
    recorder.answer = undefined;
    expect(await sender.run()).toEqual({ end: "done" });
    expect(ids()).toEqual(["1"]);
    expect(batches().map(({ retryCount }) => retryCount)).toEqual([undefined, "1", "2"]);
    expect(readDelivery(folder.delivery)).toMatchObject({ accepted: 1, lastFault: undefined });
  });

  it("does not contact a collector for as long as it asked, even after a restart or from another process", async () => {
    let nowMs = Date.now();
    const { folder, sender, write, another } = open({ now: () => nowMs });
    write("server", ["1"]);
    recorder.answer = (_request, response) => {
      response.setHeader("retry-after", "600");
      return reply(response, 429);
    };
    expect(await sender.run()).toEqual({ end: "later", afterMs: 600_000, isAsked: true });
    recorder.answer = undefined;
    nowMs += 500_000;
    expect(await another().run()).toEqual({ end: "later", afterMs: 100_000, isAsked: true });
    expect(ids()).toEqual([]);
    nowMs += 100_000;
    expect(await another().run()).toEqual({ end: "done" });
    expect(ids()).toEqual(["1"]);
    expect(readDelivery(folder.delivery).notBefore).toBeUndefined();
  });

  it("does not wait for a time that only a wrong clock can have written", async () => {
    let nowMs = Date.now() + 2 * DAY_MS;
    const { sender, write, another } = open({ now: () => nowMs });
    write("server", ["1"]);
    recorder.answer = (_request, response) => {
      response.setHeader("retry-after", "600");
      return reply(response, 503);
    };
    await sender.run();
    recorder.answer = undefined;
    nowMs -= 2 * DAY_MS;
    expect(await another().run()).toEqual({ end: "done" });
    expect(ids()).toEqual(["1"]);
  });

  it("sends a batch again if its answer never came, with the same messageIds", async () => {
    const { sender, write } = open();
    write("server", ["1", "2"]);
    recorder.answer = ({ path, messages }, response) => {
      if (path !== "/v1/batch") return undefined;
      recorder.kept.push(...messages);
      response.destroy();
      return true;
    };
    expect(await sender.run()).toMatchObject({ end: "later" });
    recorder.answer = undefined;
    await sender.run();
    expect(batches().length).toBeGreaterThanOrEqual(2);
    for (const { messages } of batches())
      expect(messages.map(({ messageId }) => messageId)).toEqual(["1", "2"]);
  });

  it("continues with other sources if one's key is refused, and keeps that one's messages", async () => {
    const { folder, sender, write } = open();
    write("client", ["1"], "cc");
    write("server", ["2"], "dd");
    recorder.answer = ({ messages: [first] }, response) =>
      first?.messageId === "1"
        ? reply(response, 200, { success: true, dropped: [{ index: 0, reason: "unknown_write_key" }] })
        : undefined;
    expect(await sender.run()).toEqual({ end: "later", afterMs: 3_600_000, isAsked: false });
    expect(ids()).toEqual(["2"]);
    expect((await listOutboxFiles(folder.outbox)).map(({ sentBytes }) => sentBytes > 0)).toEqual([
      false,
      true,
    ]);
  });

  it.each([400, 413])(
    "finds by halving the one message that causes a %d, and delivers the others",
    async (status) => {
      const { folder, sender, write } = open();
      const all = Array.from({ length: 20 }, (_, n) => `m${n}`);
      write("server", all);
      recorder.answer = ({ messages }, response) =>
        messages.some(({ messageId }) => messageId === "m13") ? reply(response, status) : undefined;
      expect(await sender.run()).toEqual({ end: "done" });
      expect(ids()).toEqual(all.filter((id) => id !== "m13"));
      expect(readDelivery(folder.delivery)).toMatchObject({
        accepted: 19,
        refused: { [`http_${status}`]: 1 },
      });
    },
  );

  it("counts what the collector says it did not keep", async () => {
    const { folder, sender, write } = open();
    write("server", ["1", "2"]);
    recorder.answer = ({ path }, response) =>
      path === "/v1/batch"
        ? reply(response, 200, { success: true, dropped: [{ reason: "no_event" }] })
        : undefined;
    await sender.run();
    expect(readDelivery(folder.delivery)).toMatchObject({ accepted: 1, refused: { no_event: 1 } });
  });

  it("splits many messages into batches that the collector accepts, in order", async () => {
    const { sender, write } = open();
    const all = Array.from({ length: 3000 }, (_, n) => `m${n}-${"x".repeat(300)}`);
    write("server", all);
    await sender.run();
    expect(ids()).toEqual(all);
    expect(Math.max(...batches().map(({ messages }) => messages.length))).toBeLessThanOrEqual(1000);
    expect(Math.max(...batches().map(({ text }) => text.length))).toBeLessThan(1024 * 1024);
  });

  it("checks consent before each post, leaves what may not be sent, and stops when the session ends", async () => {
    const session = new AbortController();
    const asked: string[] = [];
    const { folder, sender, write } = open({
      gate: {
        check: ({ source, rule }) => {
          asked.push(`${source} ${rule}`);
          return source === "client" ? DENIED : ALLOWED;
        },
      },
      signal: session.signal,
    });
    const kept = write("client", ["1"], "cc");
    write("server", ["2"], "dd");
    await sender.run();
    expect(ids()).toEqual(["2"]);
    expect(readFileSync(kept, "utf8")).toContain('"1"');
    expect(new Set(asked)).toEqual(new Set(["client notice", "server notice"]));
    write("server", ["3"], "ee");
    recorder.answer = () => {
      session.abort();
      return undefined;
    };
    expect(await sender.run()).toEqual({ end: "stopped" });
    expect((await listOutboxFiles(folder.outbox)).at(-1)).toMatchObject({ sentBytes: 0 });
  });

  it("stops in a file between two posts if consent is withdrawn", async () => {
    let decision: Decision = ALLOWED;
    const { sender, write } = open({ gate: { check: () => decision } });
    write(
      "server",
      Array.from({ length: 1500 }, (_, n) => `m${n}`),
    );
    recorder.answer = () => {
      decision = DENIED;
      return undefined;
    };
    await sender.run();
    expect(ids()).toHaveLength(1000);
  });

  it("skips what it cannot read, and sends the rest", async () => {
    const { folder, sender, write } = open();
    mkdirSync(join(folder.outbox, "server-notice-20261122T120000Z-dir.ndjson"));
    write("server", ["1"], "aa");
    const swept = write("server", ["2"], "bb");
    write("server", ["3"], "cc");
    recorder.answer = () => {
      rmSync(swept, { force: true });
      return undefined;
    };
    expect(await sender.run()).toEqual({ end: "done" });
    expect(ids()).toEqual(["1", "3"]);
  });

  it("leaves the work to the process that holds the lease", async () => {
    const { folder, sender, write } = open();
    write("server", ["1"]);
    writeFileSync(folder.lease, JSON.stringify({ holder: "other", untilMs: Date.now() + 20_000 }));
    expect(await sender.run()).toEqual({ end: "later", afterMs: 5000, isAsked: false });
    expect(recorder.requests).toEqual([]);
  });
});

describe("a sweep of the outbox", () => {
  it("deletes messages older than seven days, and counts those that were not sent", async () => {
    const { folder, sender, write } = open();
    const old = write("server", ["1", "2"], "aa");
    const young = write("server", ["3"], "bb");
    utimesSync(old, new Date(), new Date(Date.now() - 7 * DAY_MS - 1000));
    utimesSync(young, new Date(), new Date(Date.now() - 6.9 * DAY_MS));
    recorder.answer = (_request, response) => reply(response, 503);
    await sender.run();
    expect((await listOutboxFiles(folder.outbox)).map(({ path }) => path)).toEqual([young]);
    expect(readDelivery(folder.delivery)).toMatchObject({ expired: 2, overflowed: 0 });
    recorder.answer = undefined;
    await sender.run();
    expect(ids()).toEqual(["3"]);
  });

  const HOUR_MS = 60 * 60_000;
  const REAL_MS = Date.UTC(2026, 10, 23);
  it.each<[what: string, behindMs: number, writtenMs: number, jumpMs: number, passMs: number, left: number]>([
    ["a day behind", DAY_MS, 0, DAY_MS, 0, 1],
    ["years behind", 3000 * DAY_MS, 0, 3000 * DAY_MS, 0, 1],
    ["years behind, of the process before", 3000 * DAY_MS, -5 * HOUR_MS, 3000 * DAY_MS, 0, 1],
    ["a year ahead", -365 * DAY_MS, 0, -365 * DAY_MS, 0, 1],
    ["right, of a message that waits since long before the machine started", 0, -8 * DAY_MS, 0, 0, 0],
    ["years behind, but eight days ago", 3000 * DAY_MS, 0, 3000 * DAY_MS, 8 * DAY_MS, 0],
    ["right, on a machine that was suspended for eight days", 0, 0, 0, 8 * DAY_MS, 0],
  ])(
    "knows the age of messages written while the clock was %s",
    async (_what, behindMs, writtenMs, jumpMs, passMs, left) => {
      let nowMs = REAL_MS - behindMs;
      let bootMs = 10 * HOUR_MS;
      const time = { now: () => nowMs, sinceBoot: () => bootMs };
      const { folder, sender, another, write } = open(time);
      const path = write("server", ["1"]);
      utimesSync(path, new Date(nowMs + writtenMs), new Date(nowMs + writtenMs));
      nowMs += jumpMs + passMs + HOUR_MS;
      bootMs += passMs + HOUR_MS;
      recorder.answer = (_request, response) => reply(response, 503);
      await sender.run();
      await another().run(); // created after the clock was set
      const files = await listOutboxFiles(folder.outbox);
      expect(files).toHaveLength(left);
      for (const { writtenAtMs } of files)
        expect(Math.abs(writtenAtMs - REAL_MS - writtenMs)).toBeLessThan(1000);
    },
  );

  it.each<[what: string, boots: readonly (string | undefined)[], behindMs: number, left: number]>([
    ["years behind", ["one", "one"], 3000 * DAY_MS, 1],
    ["a year ahead", ["one", "one"], -365 * DAY_MS, 1],
    ["right, before a restart of the machine", ["one", "two"], 8 * DAY_MS, 0],
    ["right, on a machine that does not tell its starts apart", [undefined, undefined], 8 * DAY_MS, 0],
  ])(
    "knows the age of messages that an earlier process wrote while the clock was %s",
    async (_what, boots, behindMs, left) => {
      let nowMs = REAL_MS - behindMs;
      let bootMs = 10 * HOUR_MS;
      let [boot] = boots;
      const time = { now: () => nowMs, sinceBoot: () => bootMs, bootId: () => boot };
      const { folder, sender, another, write } = open(time);
      const path = write("server", ["1"]);
      utimesSync(path, new Date(nowMs), new Date(nowMs));
      recorder.answer = (_request, response) => reply(response, 503);
      await sender.run();
      nowMs += behindMs + HOUR_MS; // the clock is set after that process has ended
      bootMs += HOUR_MS;
      boot = boots[1];
      for (let process = 0; process < 3; process += 1) await another().run();
      const files = await listOutboxFiles(folder.outbox);
      expect(files).toHaveLength(left);
      for (const { writtenAtMs } of files) expect(Math.abs(writtenAtMs - REAL_MS)).toBeLessThan(1000);
    },
  );

  it("stores the clock for later processes even while nothing may be sent, and corrects only once", async () => {
    let nowMs = REAL_MS;
    let bootMs = 100 * DAY_MS;
    const time = { now: () => nowMs, sinceBoot: () => bootMs, bootId: () => "one" };
    const { folder, sender, another, write } = open({ ...time, gate: { check: () => DENIED } });
    await sender.run();
    expect(existsSync(folder.delivery)).toBe(false); // there is nothing whose age matters
    const path = write("server", ["1"]);
    utimesSync(path, new Date(nowMs), new Date(nowMs));
    await sender.run();
    nowMs -= 2 * DAY_MS - HOUR_MS; // set back, by less than the machine has been running
    bootMs += HOUR_MS;
    for (let process = 0; process < 3; process += 1) await another().run();
    const [file] = await listOutboxFiles(folder.outbox);
    expect(Math.abs((file?.writtenAtMs ?? 0) - REAL_MS + 2 * DAY_MS)).toBeLessThan(1000);
  });

  it("does not correct twice if two replicas see the same step", async () => {
    let nowMs = REAL_MS - 3 * DAY_MS;
    const time = { now: () => nowMs, sinceBoot: () => 100 * DAY_MS };
    const { folder, sender, another, write } = open(time);
    const replica = another();
    const path = write("server", ["1"]);
    utimesSync(path, new Date(nowMs), new Date(nowMs));
    nowMs += 3 * DAY_MS;
    recorder.answer = (_request, response) => reply(response, 503);
    await sender.run();
    await replica.run();
    const [file] = await listOutboxFiles(folder.outbox);
    expect(file?.writtenAtMs).toBeLessThanOrEqual(nowMs + 1000);
  });

  it.each([
    "outbox/server-notice-20261123T120000Z-aa.sent",
    "delivery.json",
    "instance.json",
    "receipts.ndjson",
  ])("deletes drafts that a killed process left while replacing %s, and no foreign files", async (name) => {
    const { folder, sender } = open();
    const draft = join(folder.dir, `${name}.0a1b2c3d.tmp`);
    const other = join(folder.dir, `${name}.tmp`);
    for (const path of [draft, other]) writeFileSync(path, "1");
    await sender.run();
    expect(existsSync(draft)).toBe(true);
    for (const path of [draft, other]) utimesSync(path, new Date(), new Date(Date.now() - 2 * 60 * 60_000));
    await sender.run();
    expect([existsSync(draft), existsSync(other)]).toEqual([false, true]);
  });

  it("deletes the oldest files if there is too much: delivered ones first, then unsent ones, which are counted", async () => {
    const { folder, sender, write } = open({ maxOutboxBytes: 1000 });
    const sent = write("server", ["1", "2"], "zz");
    await sender.run();
    const pad = "x".repeat(400);
    write("server", [`a${pad}`], "a1");
    write("server", [`b${pad}`], "a2");
    write("server", [`c${pad}`], "a3");
    recorder.answer = (_request, response) => reply(response, 503);
    await sender.run();
    expect(existsSync(sent)).toBe(false);
    const left = (await listOutboxFiles(folder.outbox)).map(({ path }) =>
      readFileSync(path, "utf8").slice(29, 30),
    );
    expect(left).toEqual(["b", "c"]);
    expect(readDelivery(folder.delivery)).toMatchObject({ accepted: 2, overflowed: 1 });
  });
});
