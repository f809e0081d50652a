/**
 * The least any collector on Node can do: one process each. Started by `startFloor` with the kind and, for the durable one, the
 * file to append to; reports its port as its first message; any message asks for an empty file.
 *
 * - `parse`: node:http, read the body, JSON.parse it, answer 200.
 * - `durable`: the same, but the 200 waits until the body is in a file and flushed (group fdatasync).
 * - `fastify`: as `parse`, as a route of fastify with a content type parser that takes any type as bytes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { openGroupAppend } from "./group-append.ts";

const ANSWER = '{"success":true}';
const HEADERS = { "content-type": "application/json; charset=utf-8", "content-length": ANSWER.length };

const [, , kind, path] = process.argv;
const log = kind === "durable" && path !== undefined ? openGroupAppend(path) : null;

const server = kind === "fastify" ? await createFastify() : createServer(answerWithNode);

server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => log?.reset());
process.on("disconnect", () => {
  log?.close();
  process.exit(0);
});

function answerWithNode(request: IncomingMessage, response: ServerResponse): void {
  readBody(request, (body) => {
    parse(body);
    if (log === null) answer(response);
    else log.append(body, () => answer(response));
  });
}

async function createFastify(): Promise<Server> {
  const app = fastify();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.removeContentTypeParser("application/json");
  app.post<{ Body: Buffer }>("/v1/*", (request, reply) => {
    parse(request.body);
    void reply.headers(HEADERS).send(ANSWER);
  });
  await app.ready();
  return app.server;
}

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
