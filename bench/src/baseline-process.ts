/**
 * The baseline's process, which does the least that a durable collector on Node has to do: it reads a body
 * with node:http, parses the body with JSON.parse, appends it to a file, and answers 200 once a group
 * fdatasync has written it to disk. `startBaseline` starts the process with the path of the file. The first
 * message from the process is its port. Any message to the process empties the file.
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
  /**
   * Calls `done` once the bytes are on disk. All appends that are made during a flush share the next flush.
   */
  append(bytes: Buffer, done: () => void): void;
  /** Replaces the file with an empty one. No append may be pending. */
  reset(): void;
  close(): void;
};

/** Opens the file and empties it. A later I/O error is thrown from a callback, and so ends the process. */
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
      // The flush waits until this turn of the event loop is over, so that all appends of the turn share
      // it. Flushing the first append alone would make all others wait for a second flush, which nearly
      // halved the rate of 32 writers.
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
