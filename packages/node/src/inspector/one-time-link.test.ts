import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTelemetry } from "../create-telemetry.ts";
import { openForTest } from "../rig/in-process.ts";
import { createManualClock } from "../rig/manual-clock.ts";
import type { InspectorHandler } from "./inspector.ts";

const MINUTE_MS = 60_000;
const MOUNT = "/admin/telemetry";
const ADMIN = { authorization: "Bearer secret" };

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Headers = { readonly [name: string]: string };

/** Serves a product that authenticates only by a header, with its inspector behind that check. */
async function serveProduct(inspector: InspectorHandler) {
  const app = express();
  app.use(
    MOUNT,
    (request, response, next) => {
      if (request.headers.authorization === ADMIN.authorization || inspector.cameByLink(request)) next();
      else response.sendStatus(401);
    },
    inspector,
  );
  const server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return (path: string, headers: Headers = {}, method = "GET", body = ""): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const asked = request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        text(response).then((answer) => {
          resolve({ status: response.statusCode, headers: response.headers, body: answer });
        }, reject);
      });
      asked.on("error", reject).end(body);
    });
}

async function open() {
  const clock = createManualClock(Date.parse("2026-11-23T12:00:00Z"));
  const { telemetry } = openForTest({ clock });
  const inspector = telemetry.inspector({ hosts: ["a.test"] });
  const ask = await serveProduct(inspector);
  return { clock, telemetry, inspector, ask };
}

/** The cookie of a reply, as the browser sends it back. */
function cookieOf({ headers }: Reply): Headers {
  const [cookie = ""] = headers["set-cookie"] ?? [];
  return { cookie: cookie.split(";", 1).join() };
}

describe("a one-time link", () => {
  it("admits a browser without the product's header to the whole inspector", async () => {
    const { ask, inspector, telemetry } = await open();
    expect((await ask(`${MOUNT}/`)).status).toBe(401);
    const opened = await ask(MOUNT + inspector.oneTimeLink());
    expect([opened.status, opened.headers.location, opened.body]).toEqual([303, "./", ""]);
    expect(opened.headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
    const session = cookieOf(opened);
    expect((await ask(`${MOUNT}/`, session)).body).toContain("<h1>Telemetry of Appsmith</h1>");
    expect((await ask(`${MOUNT}/status.json`, session)).status).toBe(200);
    const pressed = { ...session, "sec-fetch-site": "same-origin", "content-type": "application/json" };
    expect((await ask(`${MOUNT}/switch`, pressed, "POST", '{"answer":"no"}')).status).toBe(200);
    expect(telemetry.status().state).toBe("off");
    expect((await ask(`${MOUNT}/`, session)).status).toBe(200);
  });

  it("sets a cookie that no script can read and no other site can send, and that expires", async () => {
    const { ask, inspector } = await open();
    const { headers } = await ask(MOUNT + inspector.oneTimeLink());
    // Without Path, browsers use the folder of the link's URL, which is the inspector's.
    expect(headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^candor-inspector-[0-9a-f]{8}=[\w-]{43}; Max-Age=1800; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    const tls = await ask(MOUNT + inspector.oneTimeLink(), { "x-forwarded-proto": "https" });
    expect(tls.headers["set-cookie"]).toEqual([expect.stringMatching(/; Secure$/)]);
  });

  it("works once", async () => {
    const { ask, inspector } = await open();
    const link = MOUNT + inspector.oneTimeLink();
    expect((await ask(link)).status).toBe(303);
    expect((await ask(link)).status).toBe(401);
    const again = await ask(link, ADMIN);
    expect([again.status, JSON.parse(again.body).error]).toEqual([410, "link_used"]);
    expect(again.headers["set-cookie"]).toBeUndefined();
  });

  it("admits only one of two browsers that open it at the same moment", async () => {
    const { ask, inspector } = await open();
    const link = MOUNT + inspector.oneTimeLink();
    const opened = await Promise.all(Array.from({ length: 8 }, () => ask(link)));
    expect(opened.filter(({ headers }) => headers["set-cookie"] !== undefined)).toHaveLength(1);
  });

  it("is not used up by a request that only checks whether it exists", async () => {
    const { ask, inspector } = await open();
    const link = MOUNT + inspector.oneTimeLink();
    const looked = await ask(link, {}, "HEAD");
    expect(looked.headers["set-cookie"]).toBeUndefined();
    expect((await ask(link)).status).toBe(303);
  });

  it.each([
    [undefined, 5],
    [1, 1],
    [60, 60],
    [0, 5],
    [61, 5],
    [Number.NaN, 5],
  ])("made for %s minutes, works for %d", async (validMinutes, minutes) => {
    const { ask, inspector, clock } = await open();
    const [early, late] = [inspector.oneTimeLink({ validMinutes }), inspector.oneTimeLink({ validMinutes })];
    await clock.advance(minutes * MINUTE_MS - 1);
    expect((await ask(MOUNT + early)).status).toBe(303);
    await clock.advance(1);
    expect((await ask(MOUNT + late)).status).toBe(401);
  });

  it("is no longer valid because the machine's clock was set back", async () => {
    const { ask, inspector, clock } = await open();
    const link = inspector.oneTimeLink();
    await clock.advance(5 * MINUTE_MS);
    clock.jump(-60 * MINUTE_MS);
    expect((await ask(MOUNT + link)).status).toBe(401);
  });

  it("belongs to one inspector, as its session does", async () => {
    const { ask, inspector, telemetry } = await open();
    const other = telemetry.inspector();
    expect((await ask(MOUNT + other.oneTimeLink())).status).toBe(401);
    const session = cookieOf(await ask(MOUNT + inspector.oneTimeLink()));
    const askOther = await serveProduct(other);
    expect((await askOther(`${MOUNT}/`, session)).status).toBe(401);
  });

  it("is not answered under a name that is not the product's, and stays unused", async () => {
    const { ask, inspector } = await open();
    const link = MOUNT + inspector.oneTimeLink();
    const rebound = { host: "evil.test" };
    expect((await ask(link, rebound)).status).toBe(401);
    expect((await ask(link, { ...rebound, ...ADMIN })).status).toBe(403);
    const session = cookieOf(await ask(link, { host: "a.test" }));
    expect((await ask(`${MOUNT}/`, { ...session, ...rebound })).status).toBe(401);
  });

  it("begins with the inspector's path if the product passed it", async () => {
    const { telemetry } = openForTest();
    const inspector = telemetry.inspector({ path: "/red/telemetry/" });
    expect(inspector.oneTimeLink()).toMatch(/^\/red\/telemetry\/link-[\w-]{43}$/);
    const server = createServer(inspector).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const opened = await fetch(`http://127.0.0.1:${port}${inspector.oneTimeLink()}`, { redirect: "manual" });
    expect(opened.status).toBe(303);
  });

  it("works even if the options are unusable, so that the page can say what is wrong", async () => {
    const inspector = createTelemetry({} as never).inspector();
    const ask = await serveProduct(inspector);
    const session = cookieOf(await ask(MOUNT + inspector.oneTimeLink()));
    expect((await ask(`${MOUNT}/`, session)).status).toBe(200);
  });
});

describe("the session of a link", () => {
  it("ends after half an hour, however often it was used", async () => {
    const { ask, inspector, clock } = await open();
    const session = cookieOf(await ask(MOUNT + inspector.oneTimeLink()));
    await clock.advance(30 * MINUTE_MS - 1);
    expect((await ask(`${MOUNT}/`, session)).status).toBe(200);
    await clock.advance(1);
    expect((await ask(`${MOUNT}/`, session)).status).toBe(401);
  });

  it("does not let another site use the switch", async () => {
    const { ask, inspector, telemetry } = await open();
    const session = cookieOf(await ask(MOUNT + inspector.oneTimeLink()));
    for (const from of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, {}]) {
      const headers = { ...session, ...from, "content-type": "application/json" };
      expect((await ask(`${MOUNT}/switch`, headers, "POST", '{"answer":"no"}')).status).toBe(403);
    }
    expect(telemetry.status().state).toBe("on");
  });

  it.each(["", "x", "a".repeat(43), "=", "%00"])("is not opened by a forged cookie: %j", async (value) => {
    const { ask, inspector } = await open();
    const { cookie = "" } = cookieOf(await ask(MOUNT + inspector.oneTimeLink()));
    const [name] = cookie.split("=");
    expect((await ask(`${MOUNT}/`, { cookie: `${name}=${value}` })).status).toBe(401);
    expect((await ask(`${MOUNT}/link-${value}`)).status).toBe(401);
    // A forged cookie that another page on the host has set must not shut out the valid one.
    expect((await ask(`${MOUNT}/`, { cookie: `${name}=${value}; ${cookie}` })).status).toBe(200);
  });

  it("does not accept its cookie's token as a link, or its link's token as a cookie", async () => {
    const { ask, inspector } = await open();
    const link = inspector.oneTimeLink();
    const { cookie = "" } = cookieOf(await ask(MOUNT + link));
    const [name, token] = cookie.split("=");
    expect((await ask(`${MOUNT}/link-${token}`)).status).toBe(401);
    const cookieOfLink = `${name}=${link.slice("/link-".length)}`;
    expect((await ask(`${MOUNT}/`, { cookie: cookieOfLink })).status).toBe(401);
  });
});

it("keeps the newest 20 links and sessions", async () => {
  const { ask, inspector } = await open();
  const links = Array.from({ length: 21 }, () => inspector.oneTimeLink());
  expect((await ask(MOUNT + links[0])).status).toBe(401);
  const sessions: Headers[] = [];
  for (const link of links.slice(1)) sessions.push(cookieOf(await ask(MOUNT + link)));
  const [oldest = {}] = sessions;
  expect((await ask(`${MOUNT}/`, oldest)).status).toBe(200);
  await ask(MOUNT + inspector.oneTimeLink());
  expect((await ask(`${MOUNT}/`, oldest)).status).toBe(401);
  expect((await ask(`${MOUNT}/`, sessions.at(-1))).status).toBe(200);
});
