import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { causeOf } from "../errors.ts";
import { createSemaphore, type Semaphore } from "./semaphore.ts";

/** More than a connection's buffers take from a server whose client does not read. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);
let turns: Semaphore;
/** What became of each request's turn. */
let ends: Promise<string>[] = [];

const server = createServer((_request, response) => {
  const end = turns
    .take(response, async () => void response.end(LARGE))
    .then(
      () => "given back",
      (error: unknown) => {
        response.end();
        return causeOf(error);
      },
    );
  ends.push(end);
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  ends = [];
});

/** Resolves when an answer begins. */
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

describe("turns for large answers", () => {
  it("are given back once the answer is read", async () => {
    turns = createSemaphore(1, 60_000);
    for (let n = 0; n < 3; n++) {
      expect(await bytesOf(await ask())).toBe(LARGE.length);
      expect(await ends[n]).toBe("given back");
    }
  });

  it("are refused while others hold them, and taken from a client that does not read", async () => {
    turns = createSemaphore(1, 300);
    const slow = await ask();
    expect(await bytesOf(await ask())).toBe(0);
    expect(await ends[1]).toBe("too_many_requests");
    expect(await ends[0]).toBe("given back");
    await expect(bytesOf(slow)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await bytesOf(await ask())).toBe(LARGE.length);
  });

  it("are given back when the answer fails", async () => {
    turns = createSemaphore(1, 60_000);
    const response = { destroyed: true } as ServerResponse;
    const fail = (): Promise<void> => turns.take(response, () => Promise.reject(new Error("away")));
    await expect(fail()).rejects.toThrow("away");
    await expect(fail()).rejects.toThrow("away");
  });
});
