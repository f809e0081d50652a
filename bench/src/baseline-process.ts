/**
 * The least that a durable collector on Node can cost, as a process: node:http, read the body, JSON.parse it, append it to a file,
 * answer 200 once a group fdatasync has it on disk. `startBaseline` starts it with the file to append to. The first message that it
 * sends is its port; any message to it empties the file.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { openGroupAppend } from "./group-append.ts";

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
