import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  answerOf,
  basic,
  NO_STORE,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "../rig/in-process.ts";

const TRACK = { type: "track", event: "Opened", userId: "u1" };
const SUCCESS = { success: true };
let candor: TestCandor;

beforeAll(async () => {
  candor = await startForTest(NO_STORE);
});
afterAll(() => candor.close());

/** Sends a request without fetch, which would follow redirects and add its own headers. */
function rawPost(
  path: string,
  body: Buffer,
  headers: Record<string, string>,
  chunked = false,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(candor.url + path, { method: "POST", headers }, (response) => {
      let text = "";
      response
        .on("data", (chunk) => (text += chunk))
        .on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
    if (chunked) for (let at = 0; at < body.length; at += 7) request.write(body.subarray(at, at + 7));
    request.end(chunked ? undefined : body);
  });
}

/** Returns the verdicts that /api/live shows for the messages that `send` sends. */
async function verdictsOf(
  send: () => Promise<unknown>,
  query = "",
  count = 1,
): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${candor.url}/api/live${query}`, {
    headers: { authorization: "Bearer token-a" },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no stream");
  await reader.read(); // the greeting: from now on the feed is watched
  await send();
  let text = "";
  while (text.split("\n\n").length <= count) text += (await reader.read()).value ?? "";
  await reader.cancel();
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((part) => JSON.parse(part.split("data: ")[1] ?? ""));
}

describe("the paths", () => {
  it.each(["track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a", "track/"])(
    "accepts one message at /v1/%s",
    async (path) => {
      const response = await candor.post(`/v1/${path}`, { ...TRACK, groupId: "g1", previousId: "p1" });
      expect([response.status, await answerOf(response)]).toEqual([200, SUCCESS]);
    },
  );

  it.each(["batch", "import", "b", "import/"])("accepts a batch at /v1/%s", async (path) => {
    const response = await candor.post(`/v1/${path}`, { batch: [TRACK, TRACK] });
    expect([response.status, await answerOf(response)]).toEqual([
      200,
      { success: true, accepted: 2, dropped: [] },
    ]);
  });

  it("takes the type from the path: any message to /v1/identify becomes an identify", async () => {
    const [verdict] = await verdictsOf(() => candor.post("/v1/i", { userId: "u1" }));
    expect(verdict).toMatchObject({ verdict: "kept", envelope: { type: "identify", traits: {} } });
  });

  it.each([
    ["GET", "/v1/track", 405, "method_not_allowed", "POST, OPTIONS"],
    ["DELETE", "//v1//track/", 405, "method_not_allowed", "POST, OPTIONS"],
    ["POST", "/v1/pixel/page", 405, "method_not_allowed", "GET, HEAD, OPTIONS"],
    ["PUT", "/v1/projects/k/settings", 405, "method_not_allowed", "GET, HEAD, OPTIONS"],
    ["POST", "/v1/nothing", 404, "not_found", null],
    ["POST", "/v1/constructor", 404, "not_found", null],
    ["POST", "/v1/track/more/and/more", 404, "not_found", null],
  ])(
    "answers %s %s with %i and a JSON error, counts it, and never redirects",
    async (method, path, status, code, allow) => {
      const before = await refusals(code);
      const response = await fetch(candor.url + path, { method, redirect: "manual" });
      expect([response.status, response.headers.get("allow"), await answerOf(response)]).toEqual([
        status,
        allow,
        expect.objectContaining({ success: false, code }),
      ]);
      expect(await refusals(code)).toBe(before + 1);
    },
  );

  it("answers HEAD of the pixel like GET, without the image", async () => {
    const [verdict] = await verdictsOf(() =>
      fetch(`${candor.url}/v1/pixel/page?writeKey=${WRITE_KEYS.client}&userId=u`, { method: "HEAD" }).then(
        async (response) => {
          expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/gif"]);
          expect([response.headers.get("content-length"), await response.text()]).toEqual(["42", ""]);
        },
      ),
    );
    expect(verdict).toMatchObject({ verdict: "kept", envelope: { type: "page" } });
  });

  it.each(["//v1/track", "/v1//track", "/v1/track//", "///v1///t/"])(
    "accepts POST %s, from a client whose base URL ends in a slash",
    async (path) => {
      const response = await candor.post(path, TRACK);
      expect([response.status, await answerOf(response)]).toEqual([200, SUCCESS]);
    },
  );

  it("accepts the clients' own metrics without a write key, and discards them", async () => {
    const response = await fetch(`${candor.url}/v1/m`, { method: "POST", body: "anything" });
    expect([response.status, await answerOf(response)]).toEqual([200, SUCCESS]);
  });
});

async function refusals(code: string): Promise<number> {
  const metrics = await (await fetch(`${candor.url}/metrics`)).text();
  return Number(
    new RegExp(`candor_requests_refused_total\\{code="${code}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0,
  );
}

describe("the write key", () => {
  const { server, client } = WRITE_KEYS;
  const plain = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

  it.each<[string, Record<string, string>, object]>([
    ["Basic with a colon", { authorization: plain(`${server}:`) }, TRACK],
    ["Basic without a colon", { authorization: plain(server) }, TRACK],
    ["Basic with an unneeded password", { authorization: plain(`${server}:x`) }, TRACK],
    ["the body's writeKey", { authorization: "" }, { ...TRACK, writeKey: server }],
    ["the batch's writeKey", { authorization: "" }, { batch: [TRACK], writeKey: server }],
    ["a message's writeKey", { authorization: "" }, { batch: [{ ...TRACK, writeKey: server }] }],
    ["Bearer beside the body's key", { authorization: "Bearer abc" }, { ...TRACK, writeKey: server }],
  ])("is taken from %s", async (_where, headers, body) => {
    const [verdict] = await verdictsOf(() => candor.post("/v1/batch", body, headers));
    expect(verdict).toMatchObject({ verdict: "kept", source: "server" });
    expect(JSON.stringify(verdict)).not.toContain(server);
  });

  it.each<[string, Record<string, string>, object]>([
    ["no key at all", { authorization: "" }, TRACK],
    ["an unknown key", { authorization: basic("nobody") }, { ...TRACK, writeKey: "nor this" }],
    ["a Bearer token alone", { authorization: `Bearer ${server}` }, TRACK],
    ["an empty batch and no key", { authorization: "" }, { batch: [] }],
  ])("missing (%s) is answered with 401 and an explanation", async (_what, headers, body) => {
    const response = await candor.post("/v1/track", body, headers);
    const answer = await answerOf(response);
    expect([response.status, answer.code]).toEqual([401, "write_key_unknown"]);
    expect(answer.message).toContain("candor keys");
  });

  it.each<[string, Record<string, string>, object, keyless: string | null]>([
    ["without a key for the request", { authorization: "" }, {}, null],
    ["with an unknown key for the request", { authorization: basic("nobody") }, {}, null],
    ["with a known key for the request", { authorization: basic(server) }, {}, "server"],
    ["with a key in the batch", { authorization: "" }, { writeKey: WRITE_KEYS.installer }, "installer"],
  ])(
    "of a message in a batch decides its source, %s; a message with an unknown key is dropped alone",
    async (_how, headers, more, keyless) => {
      const keys = [client, undefined, server, client, "nobody", client, null, "", 7, ["nobody"], "nobody"];
      const batch = keys.map((writeKey, n) => ({
        ...TRACK,
        messageId: `m${n}-${keyless}-${_how}`,
        writeKey,
      }));
      const own = [
        "client",
        keyless,
        "server",
        "client",
        null,
        "client",
        keyless,
        keyless,
        keyless,
        keyless,
        null,
      ];
      let answer: Answer = {};
      const verdicts = await verdictsOf(
        async () => {
          answer = await answerOf(await candor.post("/v1/batch", { batch, ...more }, headers));
        },
        "",
        batch.length,
      );
      expect(verdicts.map(({ source }) => source)).toEqual(own);
      const dropped = own.flatMap((source, index) =>
        source === null
          ? [{ index, messageId: batch[index]?.messageId ?? "", reason: "unknown_write_key" }]
          : [],
      );
      expect(answer).toEqual({ success: true, accepted: batch.length - dropped.length, dropped });
      expect(JSON.stringify(verdicts)).not.toMatch(/key-[isc]/);
    },
  );

  it("of a single message is the header's if there is one", async () => {
    const message = { ...TRACK, writeKey: "nobody's" };
    const [verdict] = await verdictsOf(() => candor.post("/v1/track", message));
    expect(verdict).toMatchObject({ verdict: "kept", source: "server" });
  });

  it("of the messages themselves is counted separately in the metrics", async () => {
    const read = async (): Promise<number> => {
      const text = await (await fetch(`${candor.url}/metrics`)).text();
      return Number(/candor_events_accepted_total\{source="by_message"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await read();
    await candor.post("/v1/batch", { batch: [TRACK, TRACK] });
    expect(await read()).toBe(before);
    await candor.post("/v1/batch", { batch: [TRACK, { ...TRACK, writeKey: client }] });
    expect(await read()).toBe(before + 2);
  });
});

describe("the body", () => {
  it("may have any content type: text/plain, a form, none", async () => {
    for (const type of [
      "text/plain;charset=UTF-8",
      "application/x-www-form-urlencoded",
      "application/json",
    ]) {
      expect((await candor.post("/v1/track", TRACK, { "content-type": type })).status).toBe(200);
    }
  });

  it("may be gzip, labelled or not, and may come in chunks", async () => {
    const headers = { authorization: basic(WRITE_KEYS.server) };
    const zipped = gzipSync(JSON.stringify({ batch: [TRACK] }));
    for (const label of [{ "content-encoding": "gzip" }, {}]) {
      const { status, text } = await rawPost("/v1/batch", zipped, { ...headers, ...label }, true);
      expect([status, JSON.parse(text).accepted]).toEqual([200, 1]);
    }
    // As if a proxy had inflated the body but left the header.
    const plain = Buffer.from(JSON.stringify(TRACK));
    expect((await rawPost("/v1/track", plain, { ...headers, "content-encoding": "gzip" })).status).toBe(200);
  });

  it.each<[string, string | Uint8Array, Record<string, string>, string]>([
    ["nothing", "", {}, "body_unreadable"],
    ["text that is not JSON", '{"type":', {}, "body_unreadable"],
    ["a list", "[1]", {}, "body_not_object"],
    ["a batch that is not a list", '{"batch":{}}', {}, "batch_not_array"],
    [
      "text that is not UTF-8",
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      {},
      "body_unreadable",
    ],
    ["damaged gzip", gzipSync("{}").subarray(0, 15), { "content-encoding": "gzip" }, "body_unreadable"],
    ["brotli", "x", { "content-encoding": "br" }, "encoding_unknown"],
  ])(
    "that is %s is answered with 400, which says so and repeats nothing",
    async (_what, body, headers, code) => {
      const response = await candor.post("/v1/batch", body, headers);
      const answer = await answerOf(response);
      expect([response.status, answer.code, answer.error]).toEqual([400, code, answer.message]);
    },
  );

  it("is refused with 413 above 1 MiB, plain or inflated, and above 2,500 messages", async () => {
    const filler = (bytes: number): string =>
      JSON.stringify({ ...TRACK, properties: { filler: "x".repeat(bytes) } });
    const fits = filler(1024 * 1024 - Buffer.byteLength(filler(0)));
    // Fits as a body, although the event itself is too large.
    expect((await candor.post("/v1/track", fits)).status).toBe(200);
    const cases = [`${fits} `, gzipSync(`${fits} `), JSON.stringify({ batch: Array(2501).fill(TRACK) })];
    for (const body of cases) expect((await candor.post("/v1/batch", body)).status).toBe(413);
    expect((await candor.post("/v1/batch", { batch: Array(2500).fill(TRACK) })).status).toBe(200);
  });
});

describe("the answer", () => {
  it("lists each dropped message of a batch with its reason, and keeps the others", async () => {
    const batch = [
      TRACK,
      { ...TRACK, event: "", messageId: "m1" },
      { type: "track", event: "e", userId: null, anonymousId: "", messageId: "m2" },
      { ...TRACK, messageId: "m".repeat(100) },
      { ...TRACK, messageId: "m4", properties: { filler: "é".repeat(16_384) } },
      7,
    ];
    const response = await candor.post("/v1/batch", { batch });
    expect(await answerOf(response)).toEqual({
      success: true,
      accepted: 1,
      dropped: [
        { index: 1, messageId: "m1", reason: "no_event" },
        { index: 2, messageId: "m2", reason: "no_user_anon_id" },
        { index: 3, messageId: "m".repeat(100), reason: "message_id_too_long" },
        { index: 4, messageId: "m4", reason: "event_too_large" },
        { index: 5, messageId: null, reason: "not_an_object" },
      ],
    });
  });

  it("limits the total size of messages with a shared context, and does not remember those it drops", async () => {
    const large = { context: { filler: "x".repeat(40_000) }, batch: [{ ...TRACK, messageId: "filled-1" }] };
    expect(await answerOf(await candor.post("/v1/batch", large))).toMatchObject({
      accepted: 0,
      dropped: [{ reason: "event_too_large" }],
    });
    const batch = Array.from({ length: 1000 }, (_, n) => ({ ...TRACK, messageId: `spread-${n}` }));
    const many = await answerOf(
      await candor.post("/v1/batch", { context: { filler: "x".repeat(30_000) }, batch }),
    );
    expect(many.accepted).toBeGreaterThan(100);
    expect(many.accepted).toBeLessThan(300);
    expect(many.dropped?.[0]?.reason).toBe("batch_too_large");
    const rest = batch.slice(many.accepted);
    expect(await answerOf(await candor.post("/v1/batch", { batch: rest }))).toMatchObject({
      accepted: rest.length,
    });
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toContain('candor_events_dropped_total{reason="batch_too_large"}');
  });

  it("drops a message that is nested too deeply, watched or not, and keeps the others", async () => {
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    const body = `{"batch":[{"type":"track","event":"e","userId":"u"},{"type":"track","event":"e","userId":"u","properties":${deep}}]}`;
    const expected = { accepted: 1, dropped: [{ index: 1, reason: "too_deep" }] };
    expect(await answerOf(await candor.post("/v1/batch", body))).toMatchObject(expected);
    const verdicts = await verdictsOf(() => candor.post("/v1/batch", body), "", 2);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(["kept", "dropped"]);
    const unknown = `{"type":"track","event":"e","userId":"u","_metadata":${deep},"properties":{"x":"${"x".repeat(32_700)}"}}`;
    expect(await answerOf(await candor.post("/v1/track", unknown))).toMatchObject({
      dropped: [{ reason: "too_deep" }],
    });
  });

  it("keeps an event of exactly 32 KiB", async () => {
    const event = (filler: number): string =>
      JSON.stringify({ ...TRACK, properties: { filler: "x".repeat(filler) } });
    const room = 32 * 1024 - Buffer.byteLength(event(0));
    expect(await answerOf(await candor.post("/v1/track", event(room)))).toEqual(SUCCESS);
    expect(await answerOf(await candor.post("/v1/track", event(room + 1)))).toMatchObject({ accepted: 0 });
  });

  it("counts a duplicate as accepted, in one batch and across requests, and tells the live feed", async () => {
    const message = { ...TRACK, messageId: "twice-1" };
    const first = await candor.post("/v1/batch", { batch: [message, message] });
    expect(await answerOf(first)).toEqual({ success: true, accepted: 2, dropped: [] });
    const [verdict] = await verdictsOf(() => candor.post("/v1/track", message));
    expect(verdict).toMatchObject({ verdict: "dropped", reason: "duplicate" });
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toMatch(/candor_events_dropped_total\{reason="duplicate"\} [1-9]/);
  });

  it("is 200 for an empty batch", async () => {
    expect(await answerOf(await candor.post("/v1/batch", { batch: [] }))).toEqual({
      success: true,
      accepted: 0,
      dropped: [],
    });
  });
});

describe("CORS", () => {
  it("answers the preflight of every path with the headers that it requests", async () => {
    for (const path of ["/v1/t", "/v1/batch", "/v1/projects/k/settings", "/v1/m"]) {
      const response = await fetch(candor.url + path, {
        method: "OPTIONS",
        headers: { origin: "https://app.example", "access-control-request-headers": "anonymousid, x-rudder" },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      const allowed = response.headers.get("access-control-allow-headers");
      for (const name of [
        "Authorization",
        "Content-Type",
        "Content-Encoding",
        "X-Retry-Count",
        "anonymousid, x-rudder",
      ]) {
        expect(allowed).toContain(name);
      }
    }
  });

  it("lets pages read every answer, also errors and their Retry-After", async () => {
    const response = await candor.post("/v1/track", "{", {});
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toBe("Retry-After");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("the pixel", () => {
  const pixel = (query: string): Promise<Response> => fetch(`${candor.url}/v1/pixel/track?${query}`);

  it("accepts a message as base64 of its JSON, or as dotted parameters", async () => {
    const data = Buffer.from(JSON.stringify({ ...TRACK, writeKey: WRITE_KEYS.client })).toString("base64");
    const dotted = `writeKey=${WRITE_KEYS.client}&event=Opened&userId=u1&properties.plan.name=pro&properties.__proto__.x=1`;
    const [first] = await verdictsOf(() => pixel(`data=${encodeURIComponent(data)}`));
    expect(first).toMatchObject({ verdict: "kept", source: "client", envelope: { event: "Opened" } });
    const [second] = await verdictsOf(() => pixel(dotted));
    expect(second).toMatchObject({ verdict: "kept", envelope: { properties: { plan: { name: "pro" } } } });
    expect(JSON.stringify(second)).toContain('"__proto__":{"x":"1"}');
  });

  it("accepts plus signs in base64, and question marks in parameters", async () => {
    const data = Buffer.from(
      JSON.stringify({ ...TRACK, event: "a>b~>>?~~", writeKey: WRITE_KEYS.client }),
    ).toString("base64");
    expect(data).toContain("+");
    expect(await verdictsOf(() => pixel(`data=${data}`))).toMatchObject([
      { envelope: { event: "a>b~>>?~~" } },
    ]);
    const query = `properties.url=http://x/?a=1&event=Opened&userId=u1&writeKey=${WRITE_KEYS.client}`;
    expect(await verdictsOf(() => pixel(query))).toMatchObject([
      { envelope: { properties: { url: "http://x/?a=1" } } },
    ]);
  });

  it.each(["", "data=%%%", "data=bm9uc2Vuc2U=", "writeKey=nobody&event=e&userId=u"])(
    "is a GIF even for %j",
    async (query) => {
      const response = await pixel(query);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/gif"]);
      expect(
        Buffer.from(await response.arrayBuffer())
          .toString("latin1")
          .startsWith("GIF89a"),
      ).toBe(true);
    },
  );
});

describe("the settings", () => {
  it("direct every browser client to this collector, whatever its key", async () => {
    for (const key of [WRITE_KEYS.client, "unknown"]) {
      const response = await fetch(`${candor.url}/v1/projects/${key}/settings`);
      const host = candor.url.replace("http://", "");
      expect(await answerOf(response)).toEqual({
        metrics: { sampleRate: 0 },
        integrations: { "Segment.io": { apiKey: key, apiHost: `${host}/v1`, protocol: "http" } },
      });
    }
  });
});

describe("context.ip", () => {
  const send = (
    key: string,
    headers: Record<string, string> = {},
    more: object = {},
  ): Promise<Record<string, unknown>[]> =>
    verdictsOf(() =>
      candor.post("/v1/track", { ...TRACK, ...more }, { authorization: basic(key), ...headers }),
    );

  it("is the peer's only for the client source, and the message's own if it has one", async () => {
    expect(await send(WRITE_KEYS.client)).toMatchObject([{ envelope: { context: { ip: "127.0.0.1" } } }]);
    const own = { context: { ip: "192.0.2.9" } };
    expect(await send(WRITE_KEYS.client, {}, own)).toMatchObject([{ envelope: own }]);
    expect(JSON.stringify(await send(WRITE_KEYS.server))).not.toContain("127.0.0.1");
  });

  it("is not the server's if the server forwards a browser's message", async () => {
    const batch = [{ ...TRACK, writeKey: WRITE_KEYS.client }];
    const brought = await verdictsOf(() =>
      candor.post("/v1/batch", { batch }, { authorization: basic(WRITE_KEYS.server) }),
    );
    expect(brought).toMatchObject([{ verdict: "kept", source: "client" }]);
    expect(JSON.stringify(brought)).not.toContain("127.0.0.1");
  });

  it("uses X-Forwarded-For only from proxies that the operator trusts", async () => {
    const headers = { "x-forwarded-for": "6.6.6.6, 198.51.100.7, 10.1.1.1", "x-forwarded-proto": "https" };
    expect(await send(WRITE_KEYS.client, headers)).toMatchObject([
      { envelope: { context: { ip: "127.0.0.1" } } },
    ]);
    const before = candor;
    candor = await startForTest({ ...NO_STORE, CANDOR_TRUSTED_PROXIES: "127.0.0.0/8,10.0.0.0/8" });
    expect(await send(WRITE_KEYS.client, headers)).toMatchObject([
      { envelope: { context: { ip: "198.51.100.7" } } },
    ]);
    const settings = await fetch(`${candor.url}/v1/projects/k/settings`, { headers });
    expect(await answerOf(settings)).toMatchObject({ integrations: { "Segment.io": { protocol: "https" } } });
    await candor.close();
    candor = before;
  });
});
