/**
 * The least any collector on Node can do: one process each. Started by `startFloor` with the kind and, for the durable one, the
 * file to append to; reports its port as its first message; any message asks for an empty file.
 *
 * - `parse`: node:http, read the body, JSON.parse it, answer 200.
 * - `durable`: the same, but the 200 waits until the body is in a file and flushed (group fdatasync).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { openGroupAppend } from "./group-append.ts";

const ANSWER = '{"success":true}';
const HEADERS = { "content-type": "application/json; charset=utf-8", "content-length": ANSWER.length };

const [, , kind, path] = process.argv;
const log = kind === "durable" && path !== undefined ? openGroupAppend(path) : null;

const server = createServer((request, response) => {
  readBody(request, (body) => {
    const parsed: unknown = JSON.parse(body.toString());
    if (typeof parsed !== "object") throw new Error("the load generator sends objects");
    if (log === null) answer(response);
    else log.append(body, () => answer(response));
  });
});

server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => log?.reset());
process.on("disconnect", () => {
  log?.close();
  process.exit(0);
});

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
