/** Serves ClickHouse's HTTP interface over an open store. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { fault } from "./errors.ts";
import { contentType } from "./formats.ts";
import { errorAnswer, sendText, summaryHeader } from "./http-answer.ts";
import { readBody } from "./http-body.ts";
import { parseRequest } from "./http-request.ts";
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from "./limits.ts";
import { type Answer, createQueryRunner } from "./query-runner.ts";
import type { Store } from "./store.ts";

export interface HttpInterface {
  server: Server;
  /** The number of requests that are not completely answered yet. */
  inFlight(): number;
}

/**
 * Serves the part of ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) that
 * `@clickhouse/client` uses, over an open store. Each answer is sent only when it is complete, so an error
 * always has its own status. Connections are trusted, because only the owner can open the socket.
 * @param onError called with every fault, after it has been answered
 */
export function createHttpInterface(store: Store, onError: (error: unknown) => void): HttpInterface {
  const query = createQueryRunner(store);
  let inFlight = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://engine");
    if (url.pathname === "/ping") return sendText(response, 200, "Ok.\n");
    if (url.pathname !== "/") return sendText(response, 404, `There is no handle ${url.pathname}\n`);
    if (request.method === "GET" && !url.searchParams.has("query")) return sendText(response, 200, "Ok.\n");
    const gone = new AbortController();
    response.on("close", () => response.writableFinished || gone.abort(fault.cancelled()));
    try {
      const asked = parseRequest(url, request);
      response.setHeader("X-ClickHouse-Query-Id", encodeURI(asked.queryId));
      const body = await readBody(request, MAX_BODY_BYTES);
      sendAnswer(response, await query(asked, body, gone.signal));
    } catch (error) {
      // Without this, a client that is still sending its body would never read the answer.
      request.resume();
      sendError(response, error, store.version);
      onError(error);
    }
  };

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 30_000 });
  server.on("request", (request, response) => {
    inFlight++;
    response.on("close", () => inFlight--);
    handle(request, response).catch((error: unknown) => {
      response.destroy();
      onError(error);
    });
  });
  return { server, inFlight: () => inFlight };
}

function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.writeHead(200, {
    "Content-Type": contentType(answer.format),
    "Content-Length": answer.bytes.length,
    "X-ClickHouse-Format": answer.format,
    "X-ClickHouse-Timezone": "UTC",
    "X-ClickHouse-Summary": summaryHeader(answer.summary),
  });
  response.end(answer.bytes);
}

function sendError(response: ServerResponse, error: unknown, version: string): void {
  if (response.headersSent || response.destroyed) return;
  const { status, code, body } = errorAnswer(error, version);
  response.setHeader("X-ClickHouse-Exception-Code", code);
  sendText(response, status, body);
}
