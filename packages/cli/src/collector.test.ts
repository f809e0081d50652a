import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { askAsInstance, askToForget } from "./collector.ts";

const SIGNED = Buffer.from("{}");

/** Serves until the test ends. @returns its address */
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
      "one that is at another address",
      (_, response) =>
        void response.writeHead(308, { location: "https://me:secret@there.example/candor?x" }).end(),
      "it refers to https://there.example/candor",
    ],
    [
      "something else",
      (_, response) => void response.end("<h1>It works!</h1>"),
      "what answers there is no collector: status 200",
    ],
  ])("is told why it has no answer of %s", async (_, answer, cause) => {
    const url = await serve(answer);
    const asking = askAsInstance(url, "compare", SIGNED, 200);
    await expect(asking).rejects.toMatchObject({ name: "NoAnswer", message: expect.stringContaining(cause) });
    await expect(asking).rejects.toThrow(
      `No collector answers at ${url} (${cause}). Give the address that the product sends to, such as --url https://telemetry.example.org.`,
    );
  });

  it("is told the sentence of a collector that refuses, and for which address it is", async () => {
    const url = await serve(
      (_, response) => void response.writeHead(404).end('{"code":"instance_unknown","message":"No key."}'),
    );
    await expect(askAsInstance(url, "forget", SIGNED, 5000)).rejects.toMatchObject({
      name: "Refused",
      code: "instance_unknown",
      message: "No key.",
      url,
    });
  });
});

it("who runs the collector is told how to start it", async () => {
  await expect(askToForget("http://127.0.0.1:9", "token", { user: "ada" })).rejects.toMatchObject({
    code: "unreachable",
  });
});
