import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { untilRead } from "./answer.ts";

/** Larger than the buffers of a connection whose client does not read. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);
let maxMs = 60_000;
/** For each request, a promise that resolves when its answer has been read or its connection is closed. */
let reads: Promise<void>[] = [];

const server = createServer((_request, response) => {
  response.end(LARGE);
  reads.push(untilRead(response, maxMs));
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  reads = [];
});

/** Sends a request and resolves when the answer begins. */
function ask(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", agent: false }, resolve).once("error", reject);
  });
}

async function bytesOf(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const piece of answer) bytes += piece.length;
  return bytes;
}

describe("the wait for a large answer to be read", () => {
  it("lasts until the client has read it", async () => {
    maxMs = 60_000;
    const answer = await ask();
    let isRead = false;
    void reads[0]?.then(() => {
      isRead = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isRead).toBe(false);
    expect(await bytesOf(answer)).toBe(LARGE.length);
    await reads[0];
  });

  it("ends when a client that does not read is disconnected", async () => {
    maxMs = 300;
    const slow = await ask();
    await reads[0];
    await expect(bytesOf(slow)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("ends at once if the client is gone", async () => {
    await untilRead({ destroyed: true } as ServerResponse, 60_000);
  });
});
