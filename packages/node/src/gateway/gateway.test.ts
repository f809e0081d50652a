import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Core } from "../core.ts";
import { openForTest } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { createGateway } from "./gateway.ts";
import type { GatewayOptions } from "./options.ts";
import type { GatewayRequest } from "./request.ts";
import {
  ACME,
  ACME_TEXT,
  ALLOWED,
  CLICK,
  NOT_ALLOWED,
  NOW_MS,
  ON,
  openSite,
  planOf,
  planWithId,
  post,
  serve,
  toReply,
  UUID,
} from "./rig/site.ts";

describe("a browser's message", () => {
  it("is put into the outbox with the client's key, a redacted address and a hashed userId", async () => {
    const site = await openSite({ gateway: { clientAddress: () => "203.0.113.77" } });
    const { status, body } = await site.post("/v1/t", {
      ...CLICK,
      userId: "ada@example.org",
      writeKey: "theirs",
    });
    expect({ status, body }).toEqual({ status: 200, body: ALLOWED });
    expect(site.kept()).toEqual([
      {
        type: "track",
        event: "CLICK",
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        timestamp: "2026-11-23T12:00:00.000Z",
        anonymousId: UUID,
        userId: expect.stringMatching(/^[0-9a-f]{64}$/),
        properties: { role: "admin" },
        context: { ip: "203.0.113.0", userAgent: "Browser/1" },
        candor: { planVersion: 1 },
        writeKey: "client_key",
      },
    ]);
  });

  it.each([
    ["/v1/track", CLICK, "track"],
    ["/v1/track/", CLICK, "track"],
    ["/v1/t", { ...CLICK, type: "page" }, "track"],
    ["/v1/t?x=1", CLICK, "track"],
    ["/v1/page", { name: "Home", anonymousId: UUID }, "page"],
    ["/v1/p", { name: "Home", anonymousId: UUID }, "page"],
    ["/v1/identify", { userId: "u1", traits: { role: "admin" } }, "identify"],
    ["/v1/i", { userId: "u1" }, "identify"],
    ["/v1/b", CLICK, "track"],
  ])("posted to %s gets the type that the path implies", async (path, message, type) => {
    const site = await openSite();
    expect((await site.post(path, message)).body).toEqual(ALLOWED);
    expect(site.kept()).toMatchObject([{ type }]);
  });

  it("is accepted in each form that browsers send", async () => {
    const site = await openSite();
    const batch = { batch: [CLICK], context: { locale: "de" }, writeKey: "theirs" };
    for (const [body, headers] of [
      [JSON.stringify(batch), { "content-type": "text/plain;charset=UTF-8" }],
      [JSON.stringify(batch), { "content-type": "application/json" }],
      [gzipSync(JSON.stringify(batch)), { "content-encoding": "gzip" }],
      [gzipSync(JSON.stringify(batch)), {}],
    ] as const) {
      const reply = await site.post("/v1/batch", body, headers);
      expect(reply.body).toEqual({ success: true, accepted: 1, dropped: [] });
    }
    const kept = site.kept();
    expect(kept).toHaveLength(4);
    for (const message of kept) expect(message).toMatchObject({ context: { locale: "de" } });
  });

  it("keeps its own context, address and user agent", async () => {
    const site = await openSite();
    const context = { ip: "198.51.100.9", userAgent: "Mine/2", locale: "fr", secret: 1 };
    await site.post("/v1/batch", { batch: [{ ...CLICK, context }], context: { locale: "de" } });
    expect(site.kept()).toMatchObject([
      { context: { ip: "198.51.100.0", userAgent: "Mine/2", locale: "fr" } },
    ]);
  });

  it("gets the peer's address, whatever the headers say, unless the product passes another", async () => {
    const site = await openSite();
    await site.post("/v1/t", CLICK, { "x-forwarded-for": "203.0.113.7" });
    expect(site.kept()).toMatchObject([{ context: { ip: "127.0.0.0" } }]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["knows none", () => undefined],
    ["gives what is none", () => "unknown, 203.0.113.7"],
  ])("has no address when the product's function %s", async (_what, clientAddress) => {
    const site = await openSite({ gateway: { clientAddress } });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    expect(site.kept()).toMatchObject([{ context: { userAgent: "Browser/1" } }]);
    expect(JSON.stringify(site.messages())).not.toContain('"ip"');
  });

  it("keeps a messageId in a client's usual form, and the keyed hash of any other", async () => {
    const site = await openSite();
    const ids = [
      `ajs-next-1719412345678-${UUID}`,
      "ajs-9176c8f5ebc607524746206ea6aa7502",
      UUID,
      "api-1joj5LZSzuVCI9KshnaX059JYKo",
      "ada@example.org",
      "ada@example.org",
      "sk_live_4eC39HqLyjWDarjtT1zdP7dc",
    ];
    await site.post("/v1/batch", { batch: ids.map((messageId) => ({ ...CLICK, messageId })) });
    const kept = site.kept().map((message) => (message as { messageId: string }).messageId);
    expect(kept.slice(0, 4)).toEqual(ids.slice(0, 4));
    expect(kept.slice(4)).toEqual([
      expect.stringMatching(/^hashed-[0-9a-f]{32}$/),
      kept[4],
      expect.stringMatching(/^hashed-[0-9a-f]{32}$/),
    ]);
  });

  it.each([
    ["install", "instance_id: properties.install"],
    ["instanceId", ""],
    ["instanceId", "mode: observe"],
  ])(
    "carries the instance's id as %s where the plan declares it, whatever the browser says",
    async (name, client) => {
      const site = await openSite({ plan: planWithId(name, client) });
      const { instanceId } = site.telemetry.status();
      const batch = [
        CLICK,
        ...[UUID, "", 7, null, { [name]: UUID }].map((id) => ({ ...CLICK, properties: { [name]: id } })),
        { type: "identify", userId: "u1" },
        { type: "identify", userId: "u1", traits: { [name]: UUID }, properties: { [name]: UUID } },
        { type: "page", name: "Home", anonymousId: UUID, properties: { [name]: UUID } },
      ];
      expect((await site.post("/v1/b", { batch })).body).toMatchObject({ accepted: batch.length });
      expect((await site.post("/v1/i", { userId: "u1", traits: { [name]: UUID } })).body).toEqual(ALLOWED);
      const ids = site.kept().map((message) => {
        const { properties, traits } = message as Record<string, Record<string, unknown> | undefined>;
        return { inProperties: properties?.[name], inTraits: traits?.[name] };
      });
      expect(instanceId).toMatch(/^[0-9a-f]{8}-/);
      expect(ids).toEqual([
        ...Array(6).fill({ inProperties: instanceId, inTraits: undefined }),
        ...Array(2).fill({ inProperties: undefined, inTraits: instanceId }),
        { inProperties: undefined, inTraits: undefined },
        { inProperties: undefined, inTraits: instanceId },
      ]);
    },
  );

  it("gets its time from this machine's clock, and never a later one", async () => {
    const site = await openSite();
    const at = (timestamp: string, sentAt?: string) => ({ ...CLICK, timestamp, sentAt });
    await site.post("/v1/t", at("2020-01-01T00:00:01.000Z", "2020-01-01T00:00:03.500Z"));
    await site.post("/v1/t", at("2026-11-23T11:00:00+00:00"));
    await site.post("/v1/t", at("2030-01-01T00:00:00Z"));
    await site.post("/v1/t", at("yesterday"));
    await site.post("/v1/t", { ...CLICK, originalTimestamp: "2026-11-23T10:00:00Z" });
    await site.post("/v1/t", at("2026-11-23T09:00:00Z", "2026-11-23T09:00:01Z"), { "x-retry-count": "2" });
    await site.post("/v1/b", { batch: [at("2026-11-23T08:00:00Z")], sentAt: "2026-11-23T08:00:10Z" });
    expect(site.kept().map((message) => (message as { timestamp: string }).timestamp)).toEqual([
      "2026-11-23T11:59:57.500Z",
      "2026-11-23T11:00:00.000Z",
      "2026-11-23T12:00:00.000Z",
      "2026-11-23T12:00:00.000Z",
      "2026-11-23T10:00:00.000Z",
      "2026-11-23T09:00:00.000Z",
      "2026-11-23T11:59:50.000Z",
    ]);
  });
});

describe("a message that is not kept", () => {
  it("is reported with its position and reason, and the others are kept", async () => {
    const site = await openSite();
    const batch = [
      { ...CLICK, messageId: "m-0" },
      "text",
      { ...CLICK, type: "alias", messageId: "m-2" },
      { type: "track", anonymousId: UUID },
      { type: "track", event: "CLICK", userId: null, anonymousId: "" },
      { ...CLICK, messageId: "m".repeat(100) },
      { ...CLICK, properties: [] },
      { ...CLICK, traits: "x" },
      { ...CLICK, context: 7 },
      { ...CLICK, properties: nested(32) },
      { ...CLICK, properties: { note: "x".repeat(33_000) } },
      { ...CLICK, event: "UNKNOWN", messageId: 12 },
      { ...CLICK, event: "Instance Active" },
    ];
    const reply = await site.post("/v1/batch", { batch });
    const reasons = [
      "not_an_object",
      "unknown_type",
      "no_event",
      "no_user_anon_id",
      "message_id_too_long",
      "properties_not_object",
      "traits_not_object",
      "context_not_object",
      "too_deep",
      "event_too_large",
      "event_not_in_plan",
      "wrong_source",
    ];
    const ids: Record<number, string> = { 2: "m-2", 5: "m".repeat(100) };
    expect(reply.body).toEqual({
      success: true,
      accepted: 1,
      dropped: reasons.map((reason, at) => ({ index: at + 1, messageId: ids[at + 1] ?? null, reason })),
    });
    expect(site.kept()).toHaveLength(1);
    expect(site.telemetry.status().counts.dropped).toEqual({ event_not_in_plan: 1, wrong_source: 1 });
    const ownReasons = reasons.slice(0, 10);
    expect(site.gateway.report()).toEqual({
      requests: {},
      messages: Object.fromEntries(ownReasons.map((reason) => [reason, 1])),
    });
  });

  it("is counted once, also for a reason for which both the gateway and the core drop messages", async () => {
    const site = await openSite({ plan: planOf(ACME_TEXT.replace(/ {4}ids:\n(?: {6}.*\n)+/, "")) });
    const { body } = await site.post("/v1/track", { event: "CLICK", anonymousId: UUID });
    expect(body).toMatchObject({ accepted: 0, dropped: [{ reason: "no_user_anon_id" }] });
    expect(site.telemetry.status().counts.dropped).toEqual({ no_user_anon_id: 1 });
    expect(site.gateway.report().messages).toEqual({});
  });

  it("is reported even if it was sent alone", async () => {
    const site = await openSite();
    expect((await site.post("/v1/alias", { userId: "u", previousId: "p" })).body).toEqual({
      success: true,
      accepted: 0,
      dropped: [{ index: 0, messageId: null, reason: "unknown_type" }],
    });
  });

  it("may be one that a large context of its batch makes too large", async () => {
    const site = await openSite({ gateway: { maxMessagesPerSecond: 10_000 } });
    const context = { note: "x".repeat(20_000) };
    const reply = await site.post("/v1/batch", { batch: Array(500).fill(CLICK), context });
    const { accepted = 0, dropped = [] } = reply.body as { accepted: number; dropped: { reason: string }[] };
    expect(accepted).toBeGreaterThan(300);
    expect(accepted).toBeLessThan(450);
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set(["batch_too_large"]));
    const larger = await site.post("/v1/batch", { batch: [CLICK], context: { note: "x".repeat(33_000) } });
    expect(larger.body).toMatchObject({ accepted: 0, dropped: [{ reason: "event_too_large" }] });
  });
});

function nested(levels: number): object {
  let value = {};
  for (let level = 1; level < levels; level++) value = { deeper: value };
  return value;
}

describe("a request that is refused", () => {
  const refusals: [string, string, unknown, Record<string, string>, number, string][] = [
    ["no JSON", "/v1/t", "{", {}, 400, "body_unreadable"],
    ["nothing", "/v1/t", "", {}, 400, "body_unreadable"],
    ["bytes that are no text", "/v1/t", Buffer.from([0x22, 0xff, 0x22]), {}, 400, "body_unreadable"],
    ["damaged gzip", "/v1/t", Buffer.from([0x1f, 0x8b, 8, 0, 1, 2]), {}, 400, "body_unreadable"],
    [
      "brackets without end",
      "/v1/b",
      `{"batch":${"[".repeat(300)}${"]".repeat(300)}}`,
      {},
      400,
      "body_unreadable",
    ],
    ["a list", "/v1/t", "[]", {}, 400, "body_not_object"],
    ["a batch that is none", "/v1/b", { batch: {} }, {}, 400, "batch_not_array"],
    ["another encoding", "/v1/t", CLICK, { "content-encoding": "br" }, 400, "encoding_unknown"],
    ["too much", "/v1/t", "x".repeat(1024 * 1024 + 1), {}, 413, "body_too_large"],
    ["too much in little gzip", "/v1/t", gzipSync("x".repeat(3_000_000)), {}, 413, "body_too_large"],
    ["too many messages", "/v1/b", { batch: Array(2501).fill(1) }, {}, 413, "batch_too_long"],
    ["another site's page", "/v1/t", CLICK, { "sec-fetch-site": "cross-site" }, 403, "not_same_origin"],
    [
      "another site's page, without TLS",
      "/v1/t",
      CLICK,
      { origin: "http://evil.test" },
      403,
      "not_same_origin",
    ],
    ["a page without an origin", "/v1/t", CLICK, { origin: "null" }, 403, "not_same_origin"],
    ["a sister site's page", "/v1/t", CLICK, { "sec-fetch-site": "same-site" }, 403, "not_same_origin"],
    ["an address that is not there", "/v1/x", CLICK, {}, 404, "not_found"],
    ["an address outside", "/else", CLICK, {}, 404, "not_found"],
    ["the settings, posted", "/v1/projects/k/settings", CLICK, {}, 405, "method_not_allowed"],
  ];
  it.each(refusals)("%s (%s) gets the reason as JSON", async (_what, path, body, headers, status, code) => {
    const site = await openSite();
    const reply = await site.post(path, body, headers);
    const { body: told } = reply;
    expect({ status: reply.status, told }).toEqual({
      status,
      told: { success: false, code, message: expect.any(String), error: expect.any(String) },
    });
    expect(reply.headers.get("access-control-allow-origin")).toBeNull();
    expect(site.gateway.report()).toEqual({ requests: { [code]: 1 }, messages: {} });
    expect(site.kept()).toEqual([]);
  });

  it("never comes from a page of the same origin", async () => {
    const site = await openSite();
    for (const origin of ["same-origin", "none"]) {
      expect((await site.post("/v1/t", CLICK, { "sec-fetch-site": origin })).body).toEqual(ALLOWED);
    }
    expect(site.kept()).toHaveLength(2);
  });

  it("goes on to the product unread if its URL is not the gateway's", async () => {
    const { core } = openForTest({ plan: ACME, environment: ON });
    const gateway = createGateway(core, { writeKey: "client_key" });
    const url = await serve((request, response) =>
      gateway(request, response, () => void echo(request, response)),
    );
    const response = await fetch(`${url}/api/items`, { method: "POST", body: "item" });
    expect(await response.text()).toBe("item");
    expect((await post(`${url}/v1/t`, CLICK)).body).toEqual(ALLOWED);
  });

  it("is told when to retry if it exceeds the messages per second, and the limit holds", async () => {
    const clock = createManualClock(NOW_MS);
    const gateway = { maxMessagesPerSecond: 40, clientAddress: addressIn };
    const site = await openSite({ clock, gateway });
    const batch = Array(24).fill(CLICK);
    expect((await site.post("/v1/b", { batch })).body).toMatchObject({ accepted: 24 });
    const refused = await site.post("/v1/t", CLICK);
    expect({ status: refused.status, after: refused.headers.get("retry-after") }).toEqual({
      status: 429,
      after: "2",
    });
    expect((await site.post("/v1/t", CLICK, { "x-real-ip": "198.51.100.2" })).body).toEqual(ALLOWED);
    await clock.advance(1500);
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    expect((await site.post("/v1/t", CLICK)).status).toBe(429);
    expect(site.gateway.report()).toEqual({ requests: { too_many_requests: 2 }, messages: {} });
    expect(site.kept()).toHaveLength(26);
  });
});

function addressIn({ headers }: IncomingMessage): string {
  return String(headers["x-real-ip"] ?? "198.51.100.1");
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for await (const chunk of request) response.write(chunk);
  response.end();
}

describe("a refusal by a person or an operator", () => {
  it.each([
    ["Sec-GPC: 1", { "sec-gpc": "1" }],
    ["DNT: 1", { dnt: "1" }],
  ])("is expressed by %s", async (_what, headers) => {
    const site = await openSite();
    const reply = await site.post("/v1/b", { batch: [CLICK] }, headers);
    expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body: NOT_ALLOWED });
    expect(site.gateway.report()).toEqual({ requests: { no_consent: 1 }, messages: {} });
    expect(site.kept()).toEqual([]);
  });

  it("is not expressed by other values of these headers", async () => {
    const site = await openSite();
    await site.post("/v1/t", CLICK, { "sec-gpc": "0", dnt: "0" });
    await site.post("/v1/t", CLICK, { "sec-gpc": "true", dnt: "unspecified" });
    expect(site.kept()).toHaveLength(2);
  });

  it.each([
    ["turned off", { ACME_DISABLE_TELEMETRY: "true", ACME_CLIENT_TELEMETRY: "yes" }],
    ["never asked", {}],
    ["without an answer for the client", { ACME_DISABLE_TELEMETRY: "false" }],
    ["told not to track", { ...ON, DO_NOT_TRACK: "1" }],
  ])("has the effect that nothing is kept: telemetry is %s", async (_what, environment) => {
    const site = await openSite({ environment });
    const reply = await site.post("/v1/t", CLICK);
    expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body: NOT_ALLOWED });
    expect(site.kept()).toEqual([]);
  });

  it("has the effect that nothing is opened", async () => {
    const site = await openSite({ environment: {} });
    await site.post("/v1/t", CLICK);
    expect(site.files()).toEqual([]);
    expect(site.core.session).toBeUndefined();
  });

  it("takes effect at once, and deletes the earlier messages", async () => {
    const site = await openSite();
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    site.core.answer(["client"], "no", "inspector");
    expect((await site.post("/v1/t", CLICK)).body).toEqual(NOT_ALLOWED);
    expect(site.kept()).toEqual([]);
  });

  it("may also be that the product closed telemetry: nothing is kept", async () => {
    const site = await openSite();
    site.core.close();
    expect((await site.post("/v1/t", CLICK)).body).toEqual(NOT_ALLOWED);
  });

  it("by a browser also holds in log mode, which prints what would be sent", async () => {
    const site = await openSite({ environment: { ...ON, ACME_TELEMETRY: "log" } });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    expect((await site.post("/v1/t", CLICK, { "sec-gpc": "1" })).body).toEqual(NOT_ALLOWED);
    expect(site.printed).toEqual([expect.stringContaining('"event":"CLICK"')]);
    expect(site.files()).toEqual([]);
  });
});

describe("a gateway without what it needs", () => {
  it.each([
    ["no write key", { writeKey: "" }],
    ["no options", undefined],
  ])("keeps nothing with %s, and tells the product", async (_what, options) => {
    const { core, told, messages } = openForTest({ plan: ACME, environment: ON });
    const gateway = createGateway(core, options as unknown as GatewayOptions);
    const url = await serve(gateway);
    expect((await post(`${url}/v1/t`, CLICK)).body).toEqual(NOT_ALLOWED);
    core.close();
    expect({ told, messages: messages() }).toEqual({
      told: [expect.stringContaining("candor keys")],
      messages: [],
    });
  });

  it("answers as if telemetry were off if it cannot be on", async () => {
    const url = await serve(createGateway(undefined, { writeKey: "client_key" }));
    expect((await post(`${url}/v1/t`, CLICK)).body).toEqual(NOT_ALLOWED);
    expect(await settingsAt(url)).toEqual(settings(`${new URL(url).host}/v1`, "http", NEVER));
  });

  it("answers if the core fails, and throws nothing into the product", async () => {
    const { core } = openForTest({ plan: ACME, environment: ON });
    const gateway = createGateway(core, { writeKey: "client_key" });
    const broken = Object.create(core) as Core;
    Object.defineProperty(broken, "decisionsOf", {
      value: () => {
        throw new Error("broken");
      },
    });
    Object.defineProperty(broken, "state", { value: { state: "on" } });
    Object.defineProperty(broken, "addSource", { value: () => {} });
    const url = await serve(createGateway(broken, { writeKey: "client_key" }));
    expect((await post(`${url}/v1/t`, CLICK)).status).toBe(500);
    expect(gateway.report()).toEqual({ requests: {}, messages: {} });
  });
});

describe("the gateway's other routes", () => {
  it("make analytics-next send to this gateway, at the origin that the page knows", async () => {
    const site = await openSite();
    const { host } = new URL(site.url);
    expect(await settingsAt(site.url)).toEqual(settings(`${host}/telemetry/v1`, "http"));
    expect(await settingsAt(site.url, { "x-forwarded-proto": "https" })).toEqual(
      settings(`${host}/telemetry/v1`, "https"),
    );
    expect(await settingsAt(site.url, { referer: "https://acme.example:8443/apps?q=1" })).toEqual(
      settings("acme.example:8443/telemetry/v1", "https"),
    );
  });

  it.each([
    ["/red", undefined, "/red/telemetry"],
    ["/red/", undefined, "/red/telemetry"],
    ["/a/b, /c", undefined, "/a/b/telemetry"],
    ["//evil.test", undefined, "/telemetry"],
    ["/red?x=", undefined, "/telemetry"],
    ["red", undefined, "/telemetry"],
    ["", "/red/stats", "/red/stats"],
    ["/other", "/red/stats/", "/red/stats"],
    ["", "//evil.test", "/telemetry"],
    ["", "red", "/telemetry"],
  ])(
    "name the public path behind a proxy that strips %j, with publicPath %j",
    async (prefix, publicPath, path) => {
      const site = await openSite({ gateway: { publicPath } });
      const headers = { referer: "https://acme.example/x", "x-forwarded-prefix": prefix };
      expect(await settingsAt(site.url, headers)).toEqual(settings(`acme.example${path}/v1`, "https"));
      const isWrong = publicPath !== undefined && path === "/telemetry";
      expect(site.telemetry.status().problems.length).toBe(isWrong ? 1 : 0);
    },
  );

  it("make analytics-next send nothing at all if nothing would be kept", async () => {
    const site = await openSite();
    const never = settings(`${new URL(site.url).host}/telemetry/v1`, "http", NEVER);
    expect(await settingsAt(site.url, { "sec-gpc": "1" })).toEqual(never);
    site.core.close();
    expect(await settingsAt(site.url)).toEqual(never);
  });

  it("accept the metrics that clients report about themselves, and discard them", async () => {
    const site = await openSite();
    expect((await site.post("/v1/m", { series: [] })).body).toEqual(ALLOWED);
    expect(site.kept()).toEqual([]);
  });
});

async function settingsAt(url: string, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`${url}/v1/projects/web%20key/settings`, { headers });
  return (await toReply(response)).body;
}

/** With this setting, analytics-next drops an event before sending it, and `track()` resolves. */
const NEVER = { httpConfig: { backoffConfig: { maxRetryCount: 0 } } };

function settings(apiHost: string, protocol: string, more: object = {}): object {
  const segment = { apiKey: "web key", apiHost, protocol, ...more };
  return { integrations: { "Segment.io": segment }, metrics: { sampleRate: 0 } };
}

describe("a gateway in a product's server", () => {
  it.each([
    ["an object", (text: string): unknown => JSON.parse(text)],
    ["a text", (text: string): unknown => text],
    ["bytes", (text: string): unknown => Buffer.from(text)],
  ])("accepts a body that a middleware has read as %s", async (_what, parse) => {
    const site = await openSite({
      middleware: (request, response, go) => void readBefore(request, parse).then(go, () => response.end()),
    });
    expect((await site.post("/v1/b", { batch: [CLICK] })).body).toMatchObject({ accepted: 1 });
    expect(site.kept()).toHaveLength(1);
  });

  it("reads the body itself if a middleware left an empty object", async () => {
    const site = await openSite({
      middleware: (request, _response, go) => {
        Object.assign(request, { body: {} });
        go();
      },
    });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
  });

  it.each([
    ["read and threw away", undefined, "body_unreadable"],
    ["read as a number", 7, "body_not_object"],
  ])("refuses a body that a middleware %s", async (_what, body, code) => {
    const site = await openSite({
      middleware: (request, response, go) =>
        void readBefore(request, () => body).then(go, () => response.end()),
    });
    expect((await site.post("/v1/t", CLICK)).body).toMatchObject({ code });
  });

  it("works below a mount path that the framework removes, and still knows its own address", async () => {
    const site = await openSite({
      middleware: (request, _response, go) => {
        const originalUrl = request.url ?? "";
        Object.assign(request, { originalUrl, url: originalUrl.replace("/telemetry", "") });
        go();
      },
    });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    const { host } = new URL(site.url);
    expect(await settingsAt(site.url)).toEqual(settings(`${host}/telemetry/v1`, "http"));
  });

  it("keeps nothing of a request that breaks off, and continues to work", async () => {
    const site = await openSite();
    const { port } = new URL(site.url);
    const socket = connect(Number(port), "127.0.0.1");
    const text = JSON.stringify(CLICK);
    socket.write(
      `POST /telemetry/v1/t HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length + 9}\r\n\r\n${text}`,
    );
    await sleep(50);
    socket.destroy();
    await expect.poll(() => site.gateway.report().requests).toEqual({ body_timeout: 1 });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    expect(site.kept()).toHaveLength(1);
  });

  it("holds at most 8 MiB of unfinished bodies, and accepts those that end", async () => {
    const site = await openSite();
    const { port } = new URL(site.url);
    const head = "POST /telemetry/v1/t HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n";
    const slow = Array.from({ length: 10 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    for (const socket of slow) socket.write(head + "x".repeat(1_048_575));
    await expect.poll(() => site.gateway.report().requests).toEqual({ too_many_requests: 2 });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(ALLOWED);
    for (const socket of slow) socket.destroy();
    const counts = (): (number | undefined)[] => {
      const { body_timeout: ended, too_many_requests: givenUp } = site.gateway.report().requests;
      return [ended, givenUp];
    };
    // A few bytes decide whether another slow body had to be rejected to make room for the small request.
    await expect.poll(counts).toSatisfy(([ended = 0, givenUp = 0]) => ended + givenUp === 10 && ended <= 8);
  });

  it("refuses a body in chunks of one byte, and closes its connection", async () => {
    const site = await openSite();
    const socket = connect(Number(new URL(site.url).port), "127.0.0.1").on("error", () => {});
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    const closed = once(socket, "close");
    socket.write("POST /telemetry/v1/t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write("1\r\nx\r\n".repeat(2000));
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\nConnection: close\r\n.*"code":"body_fragmented"/s);
    expect(site.gateway.report().requests).toEqual({ body_fragmented: 1 });
  });

  it("gives up on a body that arrives too slowly", async () => {
    const clock = createManualClock(NOW_MS);
    const site = await openSite({ clock });
    const slow = httpRequest(`${site.url}/v1/t`, { method: "POST", headers: { "content-length": 100 } });
    slow.on("error", () => {});
    await clock.advance(1000); // the SDK looks for messages that earlier processes left
    const before = clock.planned();
    slow.write("{");
    await expect.poll(() => clock.planned()).toBe(before + 1);
    const answered = once(slow, "response") as Promise<[IncomingMessage]>;
    await clock.advance(5000);
    const [response] = await answered;
    expect({ status: response.statusCode, connection: response.headers.connection }).toEqual({
      status: 408,
      connection: "close",
    });
    expect(clock.planned()).toBe(before);
  });

  it("serves other requests while it processes a large batch", async () => {
    const site = await openSite({ gateway: { maxMessagesPerSecond: 10_000 } });
    const keptAtTurns = new Set<number>();
    let isUnderWay = true;
    const look = (): void => {
      keptAtTurns.add(site.telemetry.status().counts.kept);
      if (isUnderWay) setImmediate(look);
    };
    look();
    await site.post("/v1/b", { batch: Array(2500).fill(CLICK) });
    isUnderWay = false;
    expect(site.telemetry.status().counts.kept).toBe(2500);
    // Without pauses, only the counts 0 and 2500 would be seen.
    expect(keptAtTurns.size).toBeGreaterThan(10);
  });

  it("sends nothing more once the product itself has answered", async () => {
    const site = await openSite({
      middleware: (_request, response, go) => {
        response.end('{"mine":true}');
        go();
      },
    });
    expect((await site.post("/v1/t", CLICK)).body).toEqual({ mine: true });
  });
});

async function readBefore(request: GatewayRequest, parse: (text: string) => unknown): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  Object.assign(request, { body: parse(Buffer.concat(chunks).toString()) });
}
