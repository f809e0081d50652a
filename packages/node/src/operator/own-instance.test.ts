import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeEphemeralInstance } from "../state/instance.ts";
import { toReachable, toShown } from "./collector.ts";
import { askAsInstance } from "./own-instance.ts";

const INSTANCE = makeEphemeralInstance(0);
const HOUR_MS = 3600_000;

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("an instance that asks", () => {
  it.each<[string, RequestListener, string]>([
    ["a collector that never answers", () => {}, "no answer in time"],
    [
      "one that stops in the middle of its answer",
      (_, response) => void response.writeHead(200, { "content-length": "100" }).write("{"),
      "no answer in time",
    ],
    [
      "one that breaks off its answer",
      (request, response) => {
        response.writeHead(200, { "content-length": "100" }).write("{", () => request.socket.destroy());
      },
      "ECONNRESET",
    ],
    [
      "one that redirects to another address",
      (_, response) =>
        void response.writeHead(308, { location: "https://me:secret@there.example/candor?x" }).end(),
      "it refers to https://there.example/candor",
    ],
    [
      "something else",
      (_, response) => void response.end("<h1>It works!</h1>"),
      "what answers there is no collector: status 200",
    ],
  ])("is told why it got no answer from %s", async (_, answer, cause) => {
    const url = await serve(answer);
    const asking = askAsInstance(url, INSTANCE, { action: "compare", timeoutMs: 200 });
    await expect(asking).rejects.toMatchObject({ name: "NoAnswer", message: expect.stringContaining(cause) });
    await expect(asking).rejects.toThrow(
      `No collector answers at ${url} (${cause}). Give the address that the product sends to, such as --url https://telemetry.example.org.`,
    );
  });

  it("is told the sentence of a collector that refuses, and that collector's URL", async () => {
    const url = await serve(
      (_, response) => void response.writeHead(401).end('{"code":"origin_mismatch","message":"No."}'),
    );
    const asking = askAsInstance(url, INSTANCE, { action: "forget", timeoutMs: 5000 });
    await expect(asking).rejects.toMatchObject({
      name: "Refused",
      code: "origin_mismatch",
      message: "No.",
      url,
    });
  });

  it.each([-HOUR_MS, HOUR_MS])(
    "signs a second time with the collector's time, %d ms from ours, but not a third time",
    async (ms) => {
      const collectorMs = Math.floor((Date.now() + ms) / 1000) * 1000;
      const asked: Record<string, unknown>[] = [];
      let isBelieved = true;
      const url = await serve(async (request, response) => {
        asked.push((await json(request)) as Record<string, unknown>);
        response.setHeader("date", new Date(collectorMs).toUTCString());
        if (isBelieved && Date.parse(String(asked.at(-1)?.signedAt)) === collectorMs)
          response.end('{"ok":true}');
        else response.writeHead(401).end('{"code":"signature_stale","message":"Late."}');
      });
      const ask = () =>
        askAsInstance(url, INSTANCE, { action: "compare", more: { limit: 7 }, timeoutMs: 5000 });
      expect(await ask()).toEqual({ ok: true });
      const same = { instanceId: INSTANCE.instanceId, publicKey: INSTANCE.publicKey, origin: url, limit: 7 };
      expect(asked).toEqual([expect.objectContaining(same), expect.objectContaining(same)]);
      isBelieved = false;
      await expect(ask()).rejects.toMatchObject({ name: "Refused", code: "signature_stale" });
      expect(asked).toHaveLength(4);
    },
  );
});

it.each([
  ["http://0.0.0.0:7226", "http://127.0.0.1:7226"],
  ["http://[::]:7226", "http://127.0.0.1:7226"],
  ["http://[::1]:7226", "http://[::1]:7226"],
  ["https://candor.example/below/", "https://candor.example/below"],
])("the address %s is given to clients as %s", (url, reachable) => {
  expect(toReachable(url)).toBe(reachable);
});

it("an address is shown without the password in it", () => {
  expect(toShown("http://me:secret@host:8123/")).toBe("http://host:8123");
});
