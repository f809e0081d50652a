/**
 * Creates the HTTP server, and limits how much memory one connection, and all connections together, can take.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import { errorBody } from "@candor/envelope/http";
import { CandorError, causeOf, type ErrorCode } from "../errors.ts";
import { sendError } from "./answer.ts";
import { isIngestPath, normalizeTarget } from "./route.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpServerDependencies {
  /** Answers requests below `/v1/`. */
  readonly ingest: Handler;
  /** Answers all other requests. */
  readonly others: Handler;
  readonly countRefused: (code: ErrorCode) => void;
}

export interface HttpLimits {
  /** Number of connections that may be open. Further ones are closed at once. */
  readonly maxConnections: number;
  /** Requests that may wait on one connection while an earlier one is being answered. */
  readonly maxWaiting: number;
  /**
   * How long a client may take to read an answer that is complete. The time that the unread bytes take at
   * `minReadBytesPerMs` is added.
   */
  readonly readMs: number;
  readonly minReadBytesPerMs: number;
  /** Interval at which slow readers are checked for. */
  readonly checkMs: number;
}

const LIMITS: HttpLimits = {
  maxConnections: 2000,
  maxWaiting: 32,
  readMs: 20_000,
  minReadBytesPerMs: 64,
  checkMs: 1000,
};

/** Options for Node's server. It closes the connections of clients that send a request too slowly. */
const OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1000,
  requireHostHeader: false, // otherwise Node would answer 400 without counting it
};

/**
 * Creates the server. Requests on a connection are answered one after another, so a client that pipelines
 * without reading keeps only one answer in memory. An answer of the live feed never ends, so it has no
 * deadline here. The live feed itself limits its watchers.
 */
export function createHttpServer(dependencies: HttpServerDependencies, limits: HttpLimits = LIMITS): Server {
  const { ingest, others, countRefused } = dependencies;
  const refuse = (socket: Socket, code: ErrorCode): void => {
    countRefused(code);
    socket.destroy();
  };
  const queues = createQueues({
    limits,
    refuse,
    serve: (request, response) => {
      if (request.headers.host === undefined && request.httpVersion !== "1.0") {
        countRefused("request_unreadable");
        sendError(response, new CandorError("request_unreadable"));
      } else if (isIngestPath(request.url ?? "")) ingest(request, response);
      else others(request, response);
    },
  });
  const onRequest: Handler = (request, response) => {
    readTarget(request);
    queues.add(request, response);
  };
  const server = createServer(OPTIONS, onRequest);
  server.on("checkExpectation", onRequest); // otherwise Node would answer 417 without calling us
  server.maxConnections = limits.maxConnections;
  server.on("drop", () => countRefused("too_many_connections"));
  const check = setInterval(queues.check, limits.checkMs).unref();
  server.on("close", () => clearInterval(check));
  return server;
}

/** Normalises the target before any handler sees it. */
function readTarget(request: IncomingMessage): void {
  const { url, host } = normalizeTarget(request.url ?? "");
  request.url = url;
  // RFC 9112, 3.2.2: the target's host replaces the header.
  if (host !== undefined) request.headers.host = host;
}

/** What the server holds for one connection. */
interface Queue {
  /** The answer that is being sent. */
  current: ServerResponse | undefined;
  readonly waiting: [IncomingMessage, ServerResponse][];
  /** The time by which the client must have read the answer; undefined until the answer is complete. */
  deadlineMs: number | undefined;
}

interface QueuesOptions {
  readonly limits: HttpLimits;
  readonly refuse: (socket: Socket, code: ErrorCode) => void;
  readonly serve: Handler;
}

/** Keeps a queue for each connection that has sent a request. */
function createQueues({ limits, refuse, serve }: QueuesOptions): { add: Handler; check: () => void } {
  const queues = new Map<Socket, Queue>();
  const open = (socket: Socket): Queue => {
    const queue: Queue = { current: undefined, waiting: [], deadlineMs: undefined };
    queues.set(socket, queue);
    socket.once("close", () => queues.delete(socket));
    return queue;
  };
  const begin = (queue: Queue, request: IncomingMessage, response: ServerResponse): void => {
    queue.current = response;
    queue.deadlineMs = undefined;
    response.once("close", () => {
      queue.current = undefined;
      const next = request.socket.destroyed ? undefined : queue.waiting.shift();
      if (next !== undefined) begin(queue, ...next);
    });
    serve(request, response);
  };
  return {
    add: (request, response) => {
      const { socket } = request;
      const queue = queues.get(socket) ?? open(socket);
      if (queue.current === undefined) begin(queue, request, response);
      else if (queue.waiting.length < limits.maxWaiting) queue.waiting.push([request, response]);
      else if (!socket.destroyed) refuse(socket, "too_many_pipelined");
    },
    check: () => {
      const nowMs = performance.now();
      for (const [socket, queue] of queues) {
        if (queue.current?.writableEnded !== true) continue;
        queue.deadlineMs ??= nowMs + limits.readMs + socket.writableLength / limits.minReadBytesPerMs;
        if (nowMs > queue.deadlineMs) refuse(socket, "answer_unread");
      }
    },
  };
}

/**
 * Counts requests that Node's parser could not read, or that did not arrive in time. Answers them if no other
 * answer has begun.
 */
export function createClientErrorHandler(
  countRefused: (code: ErrorCode) => void,
): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const cause = causeOf(error);
    if (cause === "ECONNRESET" || cause === "EPIPE" || socket.destroyed) return void socket.destroy();
    const refusal = new CandorError(refusalOf(cause));
    countRefused(refusal.code);
    // If an answer has already begun, the client would read this text as part of that answer.
    const isFree = !("_httpMessage" in socket) || socket._httpMessage === null;
    if (!socket.writable || !isFree) return void socket.destroy();
    const body = errorBody(refusal);
    socket.end(
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  };
}

function refusalOf(cause: string): ErrorCode {
  if (cause === "HPE_HEADER_OVERFLOW") return "headers_too_large";
  return cause === "ERR_HTTP_REQUEST_TIMEOUT" ? "body_timeout" : "request_unreadable";
}
