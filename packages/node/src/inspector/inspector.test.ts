import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import { createTelemetry } from "../create-telemetry.ts";
import { APPSMITH, openForTest, SWITCH_OFFERED, type World, type WorldOptions } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import { receipt, stored } from "../rig/receipt.ts";
import { openStateFolder } from "../state/state-folder.ts";
import type { InspectorHandler } from "./inspector.ts";
import { readFolderStatus } from "./status.ts";

const ACTION = "execute_ACTION_TRIGGERED";
const FROM_HERE = { "sec-fetch-site": "same-origin" };
const JSON_TYPE = { "content-type": "application/json" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Asking {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

type Ask = (path: string, asking?: Asking) => Promise<Reply>;

async function serve(handler: RequestListener): Promise<Ask & { port: number }> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const ask: Ask = (path, { method = "GET", headers = {}, body = "" } = {}) =>
    new Promise((resolve, reject) => {
      const asked = request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        text(response).then((answer) => {
          resolve({ status: response.statusCode, headers: response.headers, body: answer });
        }, reject);
      });
      asked.on("error", reject).end(body);
    });
  return Object.assign(ask, { port });
}

/** Opens telemetry and serves its inspector. @param wait how many messages are waiting in the outbox */
async function open(options: WorldOptions = {}, wait = 0): Promise<World & { ask: Ask; port: number }> {
  const world = openForTest(options);
  await track(world, wait);
  const ask = await serve(world.telemetry.inspector({ hosts: ["a.test"] }));
  return { ...world, ask, port: ask.port };
}

async function track({ telemetry }: World, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) telemetry.track(ACTION, { timeElapsed: number });
  await telemetry.flush({ timeoutMs: 10_000 });
}

const toJson = ({ body }: Reply): unknown => JSON.parse(body);

/**
 * For the option `before`: stores an answer that was given for a version of the plan, by default for version
 * 2. The reference plan is newer.
 */
function answered(
  answer: "yes" | "no" | "notice",
  planVersion = REFERENCE_PLAN.version,
): (dir: string) => void {
  const planHash = planVersion === REFERENCE_PLAN.version ? APPSMITH.hash : "a".repeat(64);
  return stored(receipt(answer, { planVersion, planHash, by: "installer" }));
}

function post(ask: Ask, body: unknown, headers: Asking["headers"] = FROM_HERE): Promise<Reply> {
  return ask("/switch", {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

/** Submits the form whose button has this text, as a browser does. */
async function press(ask: Ask, button: string, headers: Asking["headers"] = FROM_HERE): Promise<Reply> {
  const { body } = await ask("/");
  const form =
    body.split("<form ").find((each) => each.includes(`>${button.replace("'", "&#39;")}</button>`)) ?? "";
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
    ([, name, value]) => `${name}=${value}`,
  );
  expect(fields).not.toEqual([]);
  return ask("/switch", { method: "POST", headers: { ...FORM_TYPE, ...headers }, body: fields.join("&") });
}

const sentenceOf = ({ body }: Reply): string | undefined => /<p class="state \w+">([^<]*)</.exec(body)?.[1];

describe("the inspector's page", () => {
  it("says first whether telemetry is on, then shows each message, and contains nothing that could run", async () => {
    const { ask } = await open({}, 2);
    const page = await ask("/");
    expect(page.status).toBe(200);
    expect(sentenceOf(page)).toBe(
      "Telemetry is on, but off for the client and installer. 2 messages wait, 0 were sent in the last seven days.",
    );
    expect(page.body.match(/<h1>[^<]*<\/h1>/g)).toEqual(["<h1>Telemetry of Appsmith</h1>"]);
    expect(page.body.match(/<details><summary><span class="badge waiting">/g)).toHaveLength(2);
    expect(page.body).toContain(`track ${ACTION}`);
    expect(page.body).toContain(">Delete at the collector, then turn all telemetry off</button>");
    expect(page.body).not.toMatch(/<script|<img|<link|\son\w+=|style="/i);
  });

  it.each([
    [
      "answers that cannot be read",
      (dir: string) => appendFileSync(join(dir, "receipts.ndjson"), "{oops\n"),
      {},
    ],
    ["mode log", () => {}, { APPSMITH_TELEMETRY: "log" }],
  ])("shows the messages that still wait under %s", async (_, change, environment) => {
    const before = await open({ before: answered("notice") }, 2);
    await before.telemetry.close({ timeoutMs: 100 });
    change(before.dir);
    const { telemetry } = openForTest({ stateDir: before.dir, environment });
    const ask = await serve(telemetry.inspector());
    expect((await ask("/")).body).toContain("2 messages wait from before");
    const { messages } = JSON.parse((await ask("/messages.json")).body);
    expect(messages.map(({ state }: { state: string }) => state)).toEqual(["waiting", "waiting"]);
    expect(JSON.parse((await ask("/status.json")).body).held.waiting.messages).toBe(2);
  });

  it("says the same as the folder alone, as long as telemetry is on", async () => {
    const world = await open({ environment: {}, before: answered("notice", 1) }, 1);
    const folder = openStateFolder(world.dir);
    const nobody = join(world.dir, "no-policy");
    const { product } = JSON.parse((await world.ask("/status.json")).body);
    expect(readFolderStatus(folder, nobody)).toEqual({
      product: "Appsmith",
      plan: product.plan,
      switches: product.switches,
      sources: product.sources,
    });
    expect(product.sources[0].rules[0].withheld.fields).not.toEqual([]);
    world.telemetry.answer("no");
    expect(readFolderStatus(folder, nobody)).toBeUndefined();
    expect(world.files()).toEqual(["receipts.ndjson"]);
  });

  it("cannot be framed, cached or extended", async () => {
    const { ask } = await open();
    const { headers } = await ask("/");
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "same-origin",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'$/,
      ),
    });
  });

  it("escapes the content of the outbox, whoever wrote it", async () => {
    const { ask, dir } = await open({}, 1);
    const line = JSON.stringify({ type: "track", event: "<script>alert(1)</script>", timestamp: '"><b>' });
    writeFileSync(join(dir, "outbox", "client-opt-in-20261123T120000Z-a.ndjson"), `${line}\n<i>no JSON\n`);
    const { body } = await ask("/");
    expect(body).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(body).toContain("&lt;i&gt;no JSON");
    expect(body).not.toMatch(/<script|"><b>|<i>no/);
  });

  it("links to older messages and back", async () => {
    const { ask } = await open({}, 60);
    const first = await ask("/");
    const [, older = ""] = /<a href="\.\/(\?before=[^"]+)">Older messages/.exec(first.body) ?? [];
    const second = await ask(`/${older}`);
    const elapsed = ({ body }: Reply) =>
      [...body.matchAll(/timeElapsed&quot;<\/b>: (\d+)/g)].map(([, n]) => Number(n));
    expect([...elapsed(first), ...elapsed(second)]).toEqual(Array.from({ length: 60 }, (_, n) => 59 - n));
    expect(second.body).toContain('<a href="./">Newest messages</a>');
    expect(second.body).not.toContain("Older messages");
  });

  it("never contains the instance's key and secret, or the server's write key, on any route", async () => {
    const { ask, dir } = await open({}, 3);
    const { privateKey, hashSecret } = JSON.parse(readFileSync(join(dir, "instance.json"), "utf8"));
    for (const path of ["/", "/status.json", "/messages.json", "/plan"]) {
      const { status, body } = await ask(path);
      expect(status).toBe(200);
      for (const secret of [privateKey, hashSecret, "server_key"]) expect(body).not.toContain(secret);
    }
  });
});

describe("where the inspector is mounted", () => {
  /** Removes a prefix from the URL, as Express does for `app.use`. */
  const strip =
    (prefix: string, handler: InspectorHandler): RequestListener =>
    (incoming: IncomingMessage & { originalUrl?: string }, response: ServerResponse) => {
      incoming.originalUrl = incoming.url ?? "";
      incoming.url = incoming.originalUrl.slice(prefix.length) || "/";
      if (!incoming.url.startsWith("/")) incoming.url = `/${incoming.url}`;
      handler(incoming, response);
    };

  it.each([
    ["a framework that removes the path", "/admin/telemetry", "./telemetry/"],
    ["a framework that removes the path", "/admin/telemetry/", "./"],
    ["a framework that removes the path", "/admin/telemetry?before=0", "./telemetry/"],
  ])("its links work: %s, requested as %s", async (_, path, here) => {
    const ask = await serve(strip("/admin/telemetry", openForTest().telemetry.inspector()));
    const { status, body } = await ask(path);
    expect(status).toBe(200);
    expect(body).toContain(`action="${here}switch"`);
    expect(body).toContain(`href="${here}plan"`);
  });

  it.each(["/admin/telemetry", "/admin/telemetry/"])(
    "it is told the path if nothing removes it: %s",
    async (path) => {
      const ask = await serve(openForTest().telemetry.inspector({ path }));
      expect((await ask("/admin/telemetry")).body).toContain('action="./telemetry/switch"');
      expect(toJson(await ask("/admin/telemetry/status.json"))).toMatchObject({ state: "on" });
      expect((await ask("/admin/telemetryx")).status).toBe(404);
    },
  );
});

describe("status.json", () => {
  it("says whether telemetry is on, who may send and why, what is withheld, and what is in the outbox", async () => {
    const { ask, telemetry } = await open({ environment: {}, before: answered("notice", 1) }, 2);
    telemetry.track("Nope" as never);
    const { body } = await ask("/status.json");
    const status = JSON.parse(body);
    expect(status).toMatchObject({
      state: "on",
      problems: [],
      counts: { kept: 2, dropped: { event_not_in_plan: 1 }, trimmed: {} },
      product: {
        name: "Appsmith",
        plan: { version: REFERENCE_PLAN.version, hash: APPSMITH.hash },
        sentTo: "http://127.0.0.1:9",
        switches: { disable: ["APPSMITH_DISABLE_TELEMETRY"], mode: "APPSMITH_TELEMETRY" },
      },
      kept: {
        instanceId: telemetry.status().instanceId,
        outbox: { files: 1, waiting: { messages: 2 }, sent: { messages: 0, bytes: 0 } },
        delivery: { accepted: 0, refused: {}, lastFault: expect.any(String) },
      },
    });
    const [server, client, installer] = status.product.sources;
    expect(server).toEqual({
      source: "server",
      answer: expect.objectContaining({ answer: "notice", planVersion: 1, by: "installer" }),
      rules: [
        {
          rule: "notice",
          allow: true,
          reason: {
            code: "notice_shown",
            sentence: "The notice was shown, and nobody has turned telemetry off.",
          },
          coversVersion: 1,
          withheld: {
            events: [],
            fields: expect.arrayContaining(["event track Instance Active: properties.boot"]),
          },
        },
      ],
    });
    expect([client.source, installer.source]).toEqual(["client", "installer"]);
    expect(client.rules).toEqual([
      {
        rule: "opt-in",
        allow: false,
        reason: { code: "consent_missing", sentence: "Nobody has said Yes yet." },
        withheld: { events: expect.arrayContaining(["track APPLICATIONS_PAGE_LOAD"]), fields: [] },
      },
    ]);
  });

  it("shows the collector's address without the name and password in it", async () => {
    const { ask } = await open({ host: "http://name:hunter2@127.0.0.1:9/candor" });
    const { body } = await ask("/status.json");
    expect(JSON.parse(body).product.sentTo).toBe("http://127.0.0.1:9/candor");
    expect(body).not.toContain("hunter2");
  });
});

describe("messages.json", () => {
  it("lists the exact lines of the outbox, newest first, one page at a time", async () => {
    const { ask, dir } = await open({}, 3);
    const [file = ""] = readdirSync(join(dir, "outbox"));
    const lines = readFileSync(join(dir, "outbox", file), "utf8")
      .trimEnd()
      .split("\n");
    const { messages, next } = JSON.parse((await ask("/messages.json?limit=2")).body);
    const rest = JSON.parse((await ask(`/messages.json?limit=2&before=${next}`)).body);
    const shown = [...messages, ...rest.messages];
    expect(shown.map(({ line }) => line)).toEqual([...lines].reverse());
    expect(shown[0]).toEqual({
      state: "waiting",
      source: "server",
      line: lines[2],
      message: JSON.parse(lines[2] ?? ""),
    });
    expect(rest.next).toBe(undefined);
  });

  it.each(["limit=0", "limit=1001", "limit=x", "before=x"])("refuses %s", async (query) => {
    const { ask } = await open();
    const reply = await ask(`/messages.json?${query}`);
    expect([reply.status, toJson(reply)]).toEqual([400, expect.objectContaining({ error: "page_unknown" })]);
  });
});

describe("the switch", () => {
  it("turns everything off at once, deletes waiting messages and the id, and is remembered", async () => {
    const { ask, files, dir, telemetry } = await open({}, 2);
    const reply = await press(ask, "Turn all telemetry off");
    expect([reply.status, reply.headers.location, reply.body]).toEqual([303, "./", ""]);
    expect(files()).toEqual(["receipts.ndjson"]);
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    const last = readFileSync(join(dir, "receipts.ndjson"), "utf8").trimEnd().split("\n").slice(-3);
    expect(last.map((line) => JSON.parse(line))).toMatchObject(
      ["installer", "server", "client"].map((source) => ({ source, answer: "no", by: "inspector" })),
    );
    expect(sentenceOf(await ask("/"))).toBe("Telemetry is off. The stored answer is No.");
  });

  it("turns one source on again, with a new id", async () => {
    const { ask, telemetry } = await open();
    const { instanceId } = telemetry.status();
    await press(ask, "Turn all telemetry off");
    await press(ask, "Turn the server's telemetry on");
    expect(telemetry.status().state).toBe("on");
    expect(telemetry.status().instanceId).not.toBe(instanceId);
    await press(ask, "Turn the server's telemetry off");
    expect(telemetry.status().state).toBe("off");
  });

  it("agrees to what a new version of the plan collects, with the same answer as before", async () => {
    const { ask } = await open({ environment: {}, before: answered("yes", 1) });
    const withheld = async () =>
      JSON.parse((await ask("/status.json")).body).product.sources[0].rules[0].withheld;
    expect((await withheld()).fields.length).toBeGreaterThan(1);
    await press(ask, `Agree to what is new in version ${REFERENCE_PLAN.version} of the plan`);
    expect(await withheld()).toEqual({ events: [], fields: [] });
    const { answer } = JSON.parse((await ask("/status.json")).body).product.sources[0];
    expect(answer).toMatchObject({
      answer: "yes",
      planVersion: REFERENCE_PLAN.version,
      planHash: APPSMITH.hash,
      by: "inspector",
    });
    expect((await ask("/")).body).not.toContain("Agree to what is new");
  });

  it("offers no Yes if the environment decides, and says so", async () => {
    const { ask } = await open({ environment: { APPSMITH_DISABLE_TELEMETRY: "true" } });
    const page = await ask("/");
    expect(sentenceOf(page)).toBe(
      "Telemetry is off. The product&#39;s own variable in the environment turns telemetry off.",
    );
    const buttons = [...page.body.matchAll(/<button[^>]*>([^<]*)</g)].map(([, button]) => button);
    expect(buttons).toEqual([
      "Say No to all telemetry",
      "Say No to the server&#39;s telemetry",
      "Say No to the client&#39;s telemetry",
      "Say No to the installer&#39;s telemetry",
    ]);
  });

  it("accepts JSON, for the sources that it names, and answers with the new status", async () => {
    const { ask, dir } = await open();
    const reply = await post(ask, { answer: "yes", sources: ["client"] });
    expect(reply.status).toBe(200);
    expect(toJson(reply)).toMatchObject({
      product: { sources: [{ source: "server" }, { source: "client", answer: { answer: "yes" } }, {}] },
    });
    await post(ask, { answer: "no" });
    const answers = readFileSync(join(dir, "receipts.ndjson"), "utf8").trimEnd().split("\n");
    expect(answers.slice(-3).map((line) => JSON.parse(line).answer)).toEqual(["no", "no", "no"]);
  });

  it.each([
    ["no answer", {}],
    ["an unknown answer", { answer: "maybe" }],
    ["an unknown source", { answer: "no", sources: ["server", "other"] }],
    ["no source", { answer: "no", sources: [] }],
    ["no list of sources", { answer: "no", sources: { server: true } }],
  ])("refuses %s, and changes nothing", async (_, body) => {
    const { ask, telemetry } = await open();
    const reply = await post(ask, body);
    expect([reply.status, toJson(reply)]).toEqual([
      400,
      expect.objectContaining({ error: "answer_invalid" }),
    ]);
    expect(telemetry.status().state).toBe("on");
  });

  it.each([
    ["that is no JSON", JSON_TYPE, "{", 400, "body_unreadable"],
    ["that is a list", JSON_TYPE, "[]", 400, "body_unreadable"],
    [
      "that is too large",
      JSON_TYPE,
      JSON.stringify({ answer: "no", more: "x".repeat(4096) }),
      413,
      "body_too_large",
    ],
    ["that is too large by far", JSON_TYPE, "x".repeat(1 << 20), 413, "body_too_large"],
  ])("refuses a body %s", async (_, headers, body, status, error) => {
    const { ask, telemetry } = await open();
    const reply = await ask("/switch", { method: "POST", headers: { ...FROM_HERE, ...headers }, body });
    expect([reply.status, toJson(reply)]).toEqual([status, expect.objectContaining({ error })]);
    expect(telemetry.status().state).toBe("on");
  });

  it("gives up on a body that stops before its end, and closes the connection", async () => {
    const clock = createManualClock(Date.parse("2026-11-23T12:00:00Z"));
    const { telemetry } = openForTest({ clock });
    const { port } = await serve(telemetry.inspector());
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      "POST /switch HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    );
    let isAnswered = false;
    const reply = text(socket).finally(() => {
      isAnswered = true;
    });
    while (!isAnswered) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.advance(1000);
    }
    expect(await reply).toMatch(/^HTTP\/1.1 408 [\s\S]*\r\nConnection: close\r\n[\s\S]*"body_too_slow"/);
    expect(telemetry.status().state).toBe("on");
  });

  it.each([
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["a sister site", { "sec-fetch-site": "same-site" }],
    [
      "another site that claims to be this one",
      { "sec-fetch-site": "cross-site", origin: "http://a.test", host: "a.test" },
    ],
    ["an older browser on another site", { origin: "http://evil.test", host: "a.test" }],
    ["a page without an origin", { origin: "null", host: "a.test" }],
    ["a program that sends neither header", { host: "a.test" }],
  ])("refuses an answer from %s", async (_, headers: { readonly [name: string]: string }) => {
    const { ask, telemetry } = await open();
    for (const reply of [
      await post(ask, { answer: "no" }, headers),
      await press(ask, "Turn all telemetry off", headers),
    ]) {
      expect([reply.status, toJson(reply)]).toEqual([403, expect.objectContaining({ error: "other_site" })]);
    }
    expect(telemetry.status().state).toBe("on");
  });

  it.each([
    ["an older browser on the page itself", { origin: "http://a.test:8080", host: "a.test:8080" }],
    [
      "an older browser behind a proxy",
      { origin: "https://a.test", host: "10.0.0.1:80", "x-forwarded-host": "a.test" },
    ],
    ["a program that says it is not a page", { "sec-fetch-site": "none" }],
  ])("accepts an answer from %s", async (_, headers: { readonly [name: string]: string }) => {
    const { ask, telemetry } = await open();
    expect((await press(ask, "Turn all telemetry off", headers)).status).toBe(303);
    expect(telemetry.status().state).toBe("off");
  });

  it("accepts an answer from the page of another process on the same folder", async () => {
    const one = await open();
    const other = openForTest({ stateDir: one.dir });
    const { body } = await one.ask("/");
    expect(body).toContain(">Turn all telemetry off</button>");
    const fields = new URLSearchParams({ answer: "no" }).toString();
    const ask = await serve(other.telemetry.inspector());
    const reply = await ask("/switch", {
      method: "POST",
      headers: { ...FROM_HERE, ...FORM_TYPE },
      body: fields,
    });
    expect([reply.status, one.telemetry.status().state]).toEqual([303, "off"]);
  });

  it("uses what the product's own parser has already read", async () => {
    const { telemetry } = openForTest();
    const inspector = telemetry.inspector();
    const ask = await serve((incoming, response) => {
      text(incoming).then((body) => inspector(Object.assign(incoming, { body: JSON.parse(body) }), response));
    });
    expect((await post(ask, { answer: "no" })).status).toBe(200);
    expect(telemetry.status().state).toBe("off");
  });

  it("reads the page's form itself if a JSON parser has set an empty body, as Express 4's does", async () => {
    const { telemetry } = openForTest();
    const inspector = telemetry.inspector();
    const ask = await serve((incoming, response) =>
      inspector(Object.assign(incoming, { body: {} }), response),
    );
    expect((await press(ask, "Turn all telemetry off")).status).toBe(303);
    expect(telemetry.status().state).toBe("off");
  });

  it("says if the answer cannot be stored; a No applies all the same", async () => {
    const world = openForTest({
      before: (dir) => mkdirSync(join(dir, "receipts.ndjson"), { recursive: true }),
    });
    const ask = await serve(world.telemetry.inspector());
    const reply = await press(ask, "Say No to all telemetry");
    expect(reply.status).toBe(500);
    expect(reply.body).toContain("cannot be stored");
    expect(world.telemetry.status().state).toBe("off");
  });
});

describe("while nothing is sent", () => {
  it.each([
    ["off", { APPSMITH_DISABLE_TELEMETRY: "1" }],
    ["log", { ...SWITCH_OFFERED, APPSMITH_TELEMETRY: "log" }],
  ])("in the state %s every route answers, and no file is created", async (state, environment) => {
    const { ask, dir } = await open({ environment });
    for (const path of ["/", "/status.json", "/messages.json", "/plan"])
      expect((await ask(path)).status).toBe(200);
    expect(toJson(await ask("/status.json"))).toMatchObject({ state });
    expect(toJson(await ask("/messages.json"))).toEqual({ messages: [] });
    expect((await ask("/")).body).toContain(`<p class="state ${state}">`);
    expect(existsSync(dir)).toBe(false);
  });

  it("with unusable options, the inspector says what is wrong with them", async () => {
    const options = {
      plan: APPSMITH,
      source: "server",
      writeKey: " ",
      host: "nowhere",
      stateDir: "/tmp",
    } as const;
    const ask = await serve(createTelemetry(options).inspector());
    const page = await ask("/");
    expect(sentenceOf(page)).toBe("Telemetry is off. The options passed to createTelemetry() are invalid.");
    expect(page.body).toContain(
      "<li>host: give the collector&#39;s URL, such as https://telemetry.example.org.</li>",
    );
    expect(toJson(await ask("/status.json"))).toMatchObject({
      state: "off",
      problems: [{}, {}].map(() => expect.any(String)),
    });
    expect((await ask("/messages.json")).status).toBe(200);
    expect((await ask("/plan")).status).toBe(404);
    expect((await post(ask, { answer: "no" })).status).toBe(409);
  });

  it("after close, the inspector still shows what it can", async () => {
    const { ask, telemetry } = await open({}, 1);
    await telemetry.close({ timeoutMs: 1000 });
    expect(sentenceOf(await ask("/"))).toBe("Telemetry is off. The product closed telemetry.");
  });
});

describe("an invalid request", () => {
  it.each([
    ["GET", "/nothing", 404, undefined],
    ["GET", "/constructor", 404, undefined],
    ["GET", "/status.json/", 404, undefined],
    ["GET", "//evil.test", 404, undefined],
    ["GET", "/%00", 404, undefined],
    ["GET", "/switch", 405, "POST"],
    ["POST", "/", 405, "GET, HEAD"],
    ["DELETE", "/messages.json", 405, "GET, HEAD"],
  ])("%s %s is answered with %d, as JSON", async (method, path, status, allow) => {
    const { ask } = await open();
    const reply = await ask(path, { method });
    expect([reply.status, reply.headers.allow, reply.headers["content-type"]]).toEqual([
      status,
      allow,
      "application/json; charset=utf-8",
    ]);
    expect(toJson(reply)).toEqual({ error: expect.any(String), message: expect.any(String) });
  });

  it("with HEAD is answered like GET, without the page", async () => {
    const { ask } = await open();
    const { status, body, headers } = await ask("/", { method: "HEAD" });
    expect([status, body, Number(headers["content-length"]) > 1000]).toEqual([200, "", true]);
  });

  it("that is abandoned in the middle does no harm", async () => {
    const { ask, port } = await open({}, 50);
    for (let turn = 0; turn < 20; turn += 1) {
      const socket = connect(port, "127.0.0.1");
      socket
        .on("error", () => {})
        .write(
          "POST /switch HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\nContent-Length: 9\r\n\r\nx",
        );
      socket.end();
      const other = connect(port, "127.0.0.1").on("error", () => {});
      other.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", () => other.destroy());
    }
    expect((await ask("/")).status).toBe(200);
  });
});

describe("the plan's page", () => {
  it("says what may be collected, in full", async () => {
    const { ask } = await open();
    const { status, headers, body } = await ask("/plan");
    expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(body).toContain("<title>What Appsmith collects</title>");
    expect(body).toContain("execute_<wbr>ACTION_<wbr>TRIGGERED");
  });
});

describe("a request under a name that is not the product's", () => {
  const rebound = { host: "evil.test", origin: "http://evil.test", "sec-fetch-site": "same-origin" };
  it.each([
    ["GET", "/"],
    ["GET", "/status.json"],
    ["GET", "/messages.json"],
    ["GET", "/messages.ndjson"],
    ["GET", "/plan"],
    ["POST", "/switch"],
  ])("%s %s is told nothing and changes nothing", async (method, path) => {
    const { ask, telemetry } = await open({}, 1);
    const body = JSON.stringify({ answer: "no" });
    const headers = { ...rebound, "content-type": "application/json" };
    const reply = await ask(path, { method, headers, body: method === "POST" ? body : "" });
    expect(reply).toMatchObject({ status: 403 });
    expect(toJson(reply)).toMatchObject({ error: "host_unknown" });
    expect(reply.body).not.toMatch(/evil|Appsmith/);
    expect(telemetry.status().state).toBe("on");
  });
});
