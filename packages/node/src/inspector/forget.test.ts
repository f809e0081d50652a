import { readdirSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { readSignedRequest } from "../../../server/src/instance/signed-request.ts";
import { openForTest, type World, type WorldOptions } from "../rig/in-process.ts";
import { type RecordedRequest, type Recorder, startRecorder } from "../rig/recorder.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const HOUR_MS = 3600_000;
const DELETE_FIRST = { answer: "no", deleteFirst: true };

let collector: Recorder;
/** How far the collector's clock is ahead of this machine's, in milliseconds. */
let aheadMs = 0;
/**
 * For each deletion request: the instance that its proof names, or the code of the error that rejected the
 * proof.
 */
let proofs: string[] = [];
/** The collector answers a deletion request only after this promise has resolved. */
let deleting: Promise<void> | undefined;

beforeEach(async () => {
  collector = await startRecorder();
  onTestFinished(() => collector.close());
  [aheadMs, proofs, deleting] = [0, [], undefined];
  collector.answer = (asked, response) => {
    if (asked.path !== "/v1/instance/forget") return undefined;
    void answerForget(asked, response);
    return true;
  };
});

/** Checks the proof as a real collector does, and answers with a deletion receipt. */
async function answerForget({ body }: RecordedRequest, response: ServerResponse): Promise<void> {
  const nowMs = Date.now() + aheadMs;
  response.setHeader("date", new Date(nowMs).toUTCString());
  try {
    const instance = readSignedRequest("forget", { ...body } as never, new Set([collector.url]), nowMs);
    proofs.push(instance);
    await deleting;
    const requestedAt = new Date(nowMs).toISOString();
    const removed = [{ where: "events", rows: 1234 }];
    const receipt = {
      forgotten: { instance },
      requestedAt,
      completedAt: requestedAt,
      removed,
      notes: ["<b>A note.</b>"],
    };
    response.end(JSON.stringify(receipt));
  } catch (error) {
    const { code, status } = error as { readonly code: string; readonly status: number };
    proofs.push(code);
    response.writeHead(status).end(JSON.stringify({ success: false, code, message: "No." }));
  }
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Inspected extends World {
  readonly get: (path: string) => Promise<Reply>;
  readonly post: (body: object | string) => Promise<Reply>;
}

async function open(options: WorldOptions = {}): Promise<Inspected> {
  const world = openForTest({ host: collector.url, ...options });
  const server = createServer(world.telemetry.inspector()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const ask = (method: string, path: string, type: string, body: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const headers = { "sec-fetch-site": "same-origin", "content-type": type };
      const asked = request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        text(response).then((answer) => {
          resolve({ status: response.statusCode, headers: response.headers, body: answer });
        }, reject);
      });
      asked.on("error", reject).end(body);
    });
  return {
    ...world,
    get: (path) => ask("GET", path, "text/plain", ""),
    post: (body) =>
      typeof body === "string"
        ? ask("POST", "/switch", "application/x-www-form-urlencoded", body)
        : ask("POST", "/switch", "application/json", JSON.stringify(body)),
  };
}

/** The body that a browser sends when this button is pressed. */
function fieldsOf(page: string, button: string): string {
  const form = page.split("<form ").find((each) => each.includes(`>${button}</button>`)) ?? "";
  return [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)]
    .map(([, name, value]) => `${name}=${value}`)
    .join("&");
}

const BUTTON = "Delete at the collector, then turn all telemetry off";

describe("deleting at the collector, then turning off", () => {
  it("asks with the instance's proof, turns off after the receipt, and shows it", async () => {
    const { get, post, telemetry, files } = await open();
    telemetry.track(ACTION, {});
    await telemetry.flush();
    const { instanceId = "" } = telemetry.status();
    const reply = await post(fieldsOf((await get("/")).body, BUTTON));
    expect([reply.status, reply.headers.location]).toEqual([303, "./"]);
    expect(proofs).toEqual([instanceId]);
    expect(files()).toEqual(["receipts.ndjson"]);
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    const page = (await get("/")).body;
    expect(page).toContain("Deleted at the collector");
    expect(page).toContain(`<code>${instanceId}</code>`);
    expect(page).toContain('<td role="cell" class="count" data-label="Removed">1,234</td>');
    expect(page).toContain("&lt;b&gt;A note.&lt;/b&gt;");
    const receipt = await get("/receipt.json");
    expect(receipt.headers["content-disposition"]).toContain("attachment");
    expect(JSON.parse(receipt.body)).toMatchObject({
      instanceId,
      removed: [{ where: "events", rows: 1234 }],
    });
    expect(page).not.toContain(`>${BUTTON}<`);
  });

  it("sends nothing from any process on the folder while the collector deletes, and erases nothing yet", async () => {
    const { post, telemetry, dir, files } = await open();
    const other = openForTest({ host: collector.url, stateDir: dir });
    telemetry.track(ACTION, {});
    await telemetry.flush();
    let end = (): void => {};
    deleting = new Promise((resolve) => {
      end = resolve;
    });
    const [first, second] = [post(DELETE_FIRST), post(DELETE_FIRST)];
    while (proofs.length === 0) await sleep(5);
    const sent = collector.kept.length;
    for (const { telemetry: each } of [{ telemetry }, other]) {
      each.track(ACTION, {});
      expect(await each.flush({ timeoutMs: 200 })).toBe(false);
    }
    expect(collector.kept).toHaveLength(sent);
    expect(files()).toContain("instance.json");
    end();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(proofs).toHaveLength(1);
    expect(other.telemetry.status().state).toBe("off");
    expect(collector.kept).toHaveLength(sent);
    expect(files()).toEqual(["receipts.ndjson"]);
  });

  it.each([-HOUR_MS, HOUR_MS])(
    "signs once more with the collector's time if the clocks differ by %d ms",
    async (ms) => {
      const { post, telemetry } = await open();
      aheadMs = ms;
      const { instanceId } = telemetry.status();
      expect((await post(DELETE_FIRST)).status).toBe(200);
      expect(proofs).toEqual(["signature_stale", instanceId]);
    },
  );

  it.each<[string, (asked: RecordedRequest, response: ServerResponse) => void, RegExp]>([
    [
      "refuses",
      (_, response) => response.writeHead(401).end('{"code":"origin_mismatch"}'),
      /It answered: origin_mismatch\./,
    ],
    [
      "always finds the time wrong",
      (_, response) => response.writeHead(401).end('{"code":"signature_stale"}'),
      /signature_stale/,
    ],
    [
      "is no collector",
      (_, response) => response.end("<html>Log in</html>"),
      /Something other than a collector/,
    ],
    [
      "gives another's receipt",
      (_, response) => response.end('{"forgotten":{"instance":"x"},"requestedAt":"","completedAt":""}'),
      /Something other/,
    ],
    ["fails", (_, response) => response.writeHead(503).end(), /status 503/],
    [
      "says what could be read as a page",
      (_, response) => response.writeHead(401).end('{"code":"<b>"}'),
      /write key|401/,
    ],
    ["hangs up", (_, response) => response.destroy(), /./],
  ])("changes nothing when the collector %s, and says why", async (_, answer, why) => {
    const { get, post, telemetry, dir, files } = await open();
    telemetry.track(ACTION, {});
    await telemetry.flush();
    const before = [files(), readdirSync(`${dir}/outbox`)];
    const { instanceId } = telemetry.status();
    collector.answer = (asked, response) => {
      if (asked.path === "/v1/instance/forget") answer(asked, response);
      return asked.path === "/v1/instance/forget";
    };
    const reply = await post(DELETE_FIRST);
    expect([reply.status, JSON.parse(reply.body)]).toEqual([
      502,
      { error: "not_confirmed", message: expect.stringMatching(why) },
    ]);
    expect(reply.body).not.toContain("<b>");
    expect(telemetry.status()).toMatchObject({ state: "on", instanceId });
    expect([files(), readdirSync(`${dir}/outbox`)]).toEqual(before);
    const page = await post(fieldsOf((await get("/")).body, BUTTON));
    expect([page.status, page.body]).toEqual([
      502,
      expect.stringContaining('<p class="warning" role="alert">'),
    ]);
    telemetry.track(ACTION, {});
    expect(await telemetry.flush()).toBe(true);
  });

  it.each([
    ["a Yes", { answer: "yes", deleteFirst: true }],
    ["sources without the server", { answer: "no", deleteFirst: true, sources: ["client"] }],
    ["what is not true", { answer: "no", deleteFirst: "perhaps" }],
    ["a form's other value", "answer=no&deleteFirst=1"],
  ])("is refused with %s", async (_, body) => {
    const { post, telemetry } = await open();
    expect((await post(body)).status).toBe(400);
    expect([proofs, telemetry.status().state]).toEqual([[], "on"]);
  });

  it.each([
    ["off", { APPSMITH_DISABLE_TELEMETRY: "1" }],
    ["log", { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_TELEMETRY: "log" }],
  ])("is neither offered nor done while telemetry is %s", async (_, environment) => {
    const { get, post } = await open({ environment });
    expect((await get("/")).body).not.toContain(BUTTON);
    expect((await post(DELETE_FIRST)).status).toBe(409);
    expect([proofs, collector.requests]).toEqual([[], []]);
  });
});

describe("the buttons of the switch", () => {
  it("look the same: only their words distinguish a Yes from a No", async () => {
    const { get, telemetry } = await open();
    const on = (await get("/")).body;
    telemetry.answer("no");
    const off = (await get("/")).body;
    for (const page of [on, off]) {
      const kinds = new Set([...page.matchAll(/<button[^>]*>/g)].map(([tag]) => tag));
      expect(kinds).toEqual(new Set(['<button type="submit">']));
      const [style = ""] = /<style>[\s\S]*<\/style>/.exec(page) ?? [];
      expect(style.match(/^button[^{]*\{/gm)).toEqual(["button {", "button:hover {"]);
    }
  });
});

describe("the download", () => {
  it("contains every message of the outbox, sent or waiting, unchanged", async () => {
    const { get, telemetry, messages } = await open();
    for (let n = 0; n < 2300; n += 1) telemetry.track(ACTION, { timeElapsed: n });
    await telemetry.flush();
    collector.answer = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    telemetry.track(ACTION, { timeElapsed: 2300 });
    await telemetry.flush();
    const { headers, body } = await get("/messages.ndjson");
    expect(headers).toMatchObject({
      "content-type": "application/x-ndjson; charset=utf-8",
      "content-disposition": 'attachment; filename="telemetry-messages.ndjson"',
      "cache-control": "no-store",
    });
    const lines = body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message)).toEqual([...messages()].reverse());
    expect(lines.map(({ state }) => state)).toEqual(["waiting", ...Array(2300).fill("sent")]);
  });

  it("is empty, and not an error, if nothing was sent", async () => {
    const { get } = await open({ environment: {} });
    expect(await get("/messages.ndjson")).toMatchObject({ status: 200, body: "" });
    expect((await get("/receipt.json")).status).toBe(404);
  });
});
