/**
 * The least that a durable collector on Node can cost, as a process: node:http, read the body, JSON.parse it, append it to a file,
 * answer 200 once a group fdatasync has it on disk. `startBaseline` starts it with the file to append to. The first message that it
 * sends is its port; any message to it empties the file.
 */

import { close, closeSync, fdatasync, openSync, unlinkSync, writev } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWER = '{"success":true}';
const HEADERS = { "content-type": "application/json; charset=utf-8", "content-length": ANSWER.length };

const [, , path = ""] = process.argv;
const log = openGroupAppend(path);

const server = createServer((request, response) => {
  readBody(request, (body) => {
    parse(body);
    log.append(body, () => answer(response));
  });
});

server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => log.reset());
process.on("disconnect", () => {
  log.close();
  process.exit(0);
});

function parse(body: Buffer): void {
  const parsed: unknown = JSON.parse(body.toString());
  if (typeof parsed !== "object") throw new Error("the load generator sends objects");
}

function readBody(request: IncomingMessage, use: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [first] = chunks;
    use(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
  });
}

function answer(response: ServerResponse): void {
  response.writeHead(200, HEADERS);
  response.end(ANSWER);
}

/** An append-only file whose writers share their flushes. */
export type GroupAppend = {
  /** `done` is called once the bytes are on disk. Everything that waits while a flush is under way shares the next one. */
  append(bytes: Buffer, done: () => void): void;
  /** Starts an empty file in place of this one; nothing may be waiting. */
  reset(): void;
  close(): void;
};

/** An I/O error is thrown out of the callback and ends the process. */
export function openGroupAppend(path: string): GroupAppend {
  let fd = openSync(path, "w");
  let waiting: Buffer[] = [];
  let callbacks: (() => void)[] = [];
  let isFlushing = false;

  const flush = () => {
    const bytes = waiting;
    const answered = callbacks;
    waiting = [];
    callbacks = [];
    const expected = bytes.reduce((sum, { length }) => sum + length, 0);
    writev(fd, bytes, (writeError, written) => {
      if (writeError) throw writeError;
      if (written !== expected) throw new Error(`short write: ${written} of ${expected} bytes`);
      fdatasync(fd, (syncError) => {
        if (syncError) throw syncError;
        for (const done of answered) done();
        isFlushing = waiting.length > 0;
        if (isFlushing) setImmediate(flush);
      });
    });
  };
  return {
    append(bytes, done) {
      waiting.push(bytes);
      callbacks.push(done);
      if (isFlushing) return;
      isFlushing = true;
      // Not at once, so that everything in this turn of the event loop shares the flush. Flushing the first value alone makes
      // all others wait a whole flush longer, and nearly halved the rate of 32 writers.
      setImmediate(flush);
    },
    reset() {
      closeSync(fd);
      unlinkSync(path);
      fd = openSync(path, "w");
    },
    close() {
      close(fd);
      unlinkSync(path);
    },
  };
}
