import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, it, onTestFinished } from "vitest";
import { openForTest } from "./rig/in-process.ts";
import type { Telemetry } from "./telemetry.ts";

const ON = { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_CLIENT_TELEMETRY: "yes" };
const ADMIN = { "x-role": "admin" };
const CLIENT = { writeKey: "client_key" };

/**
 * Products built as the docstrings of `inspector()` and `gateway()` show. Each reads request bodies for its
 * own routes.
 */
const products: Readonly<Record<string, (telemetry: Telemetry) => Promise<Server>>> = {
  async "node:http"(telemetry) {
    const inspector = telemetry.inspector({ path: "/admin/telemetry" });
    const gateway = telemetry.gateway(CLIENT);
    return createServer((request, response) => {
      if (request.url?.startsWith("/telemetry/")) gateway(request, response);
      else if (request.headers["x-role"] === "admin") inspector(request, response);
      else response.writeHead(403).end();
    });
  },
  async Express(telemetry) {
    const app = express();
    app.use(express.json(), express.text(), express.urlencoded());
    app.use("/telemetry", telemetry.gateway(CLIENT));
    app.use("/admin/telemetry", (request, response, next) => {
      if (request.headers["x-role"] === "admin") next();
      else response.sendStatus(403);
    });
    app.use("/admin/telemetry", telemetry.inspector());
    return createServer(app);
  },
  async Fastify(telemetry) {
    const fastify = Fastify();
    const gateway = telemetry.gateway(CLIENT);
    fastify.all("/telemetry/*", (request, reply) => {
      reply.hijack();
      gateway(Object.assign(request.raw, { body: request.body }), reply.raw);
    });
    const inspector = telemetry.inspector({ path: "/admin/telemetry" });
    fastify.route({
      method: ["GET", "POST"],
      url: "/admin/telemetry*",
      onRequest: [
        async (request, reply) => {
          if (request.headers["x-role"] !== "admin") return reply.code(403).send();
        },
        async (request, reply) => {
          reply.hijack();
          inspector(request.raw, reply.raw);
        },
      ],
      handler: async () => {},
    });
    await fastify.ready();
    return fastify.server;
  },
  async Hono(telemetry) {
    const hono = new Hono<{ Bindings: HttpBindings }>();
    const gateway = telemetry.gateway(CLIENT);
    hono.all("/telemetry/*", (c) => {
      gateway(c.env.incoming, c.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    const inspector = telemetry.inspector({ path: "/admin/telemetry" });
    hono.use("/admin/*", async (c, next) =>
      c.req.header("x-role") === "admin" ? next() : c.body(null, 403),
    );
    hono.all("/admin/telemetry/*", (c) => {
      inspector(c.env.incoming, c.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    return createServer(getRequestListener(hono.fetch));
  },
};

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "sec-fetch-site": "same-origin", ...headers }, body });
}

function click(contentType: string, product: string): Promise<Response> {
  const message = { event: "RUN_QUERY_CLICK", anonymousId: "0b62ab60", properties: { pluginType: "DB" } };
  return send(`${product}/telemetry/v1/t`, { "content-type": contentType }, JSON.stringify(message));
}

describe.each(Object.entries(products))("in a product on %s", (_name, open) => {
  it("the gateway accepts browsers' messages, and the inspector shows them only to admins", async () => {
    const { telemetry, messages } = openForTest({ environment: ON });
    const product = await listen(await open(telemetry));
    for (const contentType of ["text/plain;charset=UTF-8", "application/json"]) {
      expect(await (await click(contentType, product)).json()).toMatchObject({ success: true });
    }
    await telemetry.flush({ timeoutMs: 500 });
    expect(messages().map(({ event, writeKey }) => ({ event, writeKey }))).toEqual([
      { event: "RUN_QUERY_CLICK", writeKey: CLIENT.writeKey },
      { event: "RUN_QUERY_CLICK", writeKey: CLIENT.writeKey },
    ]);
    expect((await fetch(`${product}/admin/telemetry/`)).status).toBe(403);
    const page = await fetch(`${product}/admin/telemetry/`, { headers: ADMIN });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toContain("track RUN_QUERY_CLICK");
  });

  it("the inspector's switch acts on the server and on browsers at once", async () => {
    const { telemetry, files } = openForTest({ environment: ON });
    const product = await listen(await open(telemetry));
    await click("text/plain", product);
    const answer = "answer=no&sources=server&sources=client";
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await send(`${product}/admin/telemetry/switch`, form, answer)).status).toBe(403);
    await send(`${product}/admin/telemetry/switch`, { ...ADMIN, ...form }, answer);
    expect(telemetry.status()).toMatchObject({ state: "off", reason: "stored_no" });
    await click("text/plain", product);
    expect(files()).toEqual(["receipts.ndjson"]);
  });
});
