import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import { isObject, type JsonObject, type MessageType, parseTime, toIsoTime } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError, causeOf } from "../errors.ts";
import type { Meters } from "../meters.ts";
import { type Dropped, type Intake, type PipelineDependencies, runSteps, submit } from "../pipeline.ts";
import { sendAccepted, sendBatchAccepted, sendError, sendJson, sendPixel, sendPreflight } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { clientAddress, clientProtocol } from "./client-address.ts";
import { readPixel } from "./pixel.ts";
import { findRoute, type IngestRoute } from "./route.ts";
import { findSource } from "./write-key.ts";

const MAX_BATCH_MESSAGES = 2500;

export interface IngestDependencies extends PipelineDependencies {
  readonly now: () => number;
  readonly readBody: BodyReader;
  readonly meters: Meters;
  readonly trustedProxies: BlockList;
  /** Told of what is our fault, for the operator. */
  readonly onFault: (error: unknown) => void;
}

export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The ingest API, everything below `/v1/`: Segment's HTTP Tracking API. Answers always; never rejects. */
export function createIngest(dependencies: IngestDependencies): IngestHandler {
  return async (request, response) => {
    try {
      await handle(request, response, dependencies);
    } catch (error) {
      const known = error instanceof CandorError ? error : new CandorError("internal", {}, error);
      if (known.code === "internal") dependencies.onFault(causeOf(error));
      dependencies.meters.countRefused(known.code);
      sendError(response, known);
    }
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  deps: IngestDependencies,
): Promise<void> {
  const [path = "", query] = (request.url ?? "").split("?", 2);
  const route = findRoute(path);
  if (route === undefined) throw new CandorError("not_found");
  if (request.method === "OPTIONS") return sendPreflight(request, response);
  const wantsGet = route.kind === "pixel" || route.kind === "settings";
  if (request.method !== (wantsGet ? "GET" : "POST")) throw new CandorError("method_not_allowed");
  if (route.kind === "settings") return sendSettings(request, response, route.writeKey, deps);
  if (route.kind === "client_metrics") return sendJson(response, 200, '{"success":true}');
  if (route.kind === "pixel") return handlePixel(request, response, route, new URLSearchParams(query), deps);
  return handleMessages(request, response, route.type, deps);
}

async function handleMessages(
  request: IncomingMessage,
  response: ServerResponse,
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Promise<void> {
  const body = await deps.readBody(request);
  const { batch } = body;
  if (batch === undefined) {
    return sendAccepted(response, await takeIn(request, body, [body], pathType, deps));
  }
  if (!Array.isArray(batch)) throw new CandorError("batch_not_array");
  if (batch.length > MAX_BATCH_MESSAGES)
    throw new CandorError("batch_too_long", { limit: MAX_BATCH_MESSAGES });
  sendBatchAccepted(response, batch.length, await takeIn(request, body, batch, undefined, deps));
}

/** Resolves once what is kept of the messages is on disk. */
async function takeIn(
  request: IncomingMessage,
  body: JsonObject,
  items: readonly unknown[],
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Promise<Dropped[]> {
  const source = findSource(request, body, items, deps.sourceOfKey);
  const intake = openIntake(request, body, items.length, pathType, source, deps);
  const dropped = runSteps(items, intake, deps);
  await submit(intake, deps);
  deps.meters.countMessages(source, intake.rows, dropped);
  return dropped;
}

function openIntake(
  request: IncomingMessage,
  body: JsonObject,
  messages: number,
  pathType: MessageType | undefined,
  source: Source | undefined,
  deps: IngestDependencies,
): Intake {
  const receivedAtMs = deps.now();
  const retryCount = Number(request.headers["x-retry-count"] ?? 0);
  return {
    source,
    pathType,
    batch: {
      context: isObject(body.context) ? body.context : undefined,
      integrations: isObject(body.integrations) ? body.integrations : undefined,
      sentAtMs: parseTime(body.sentAt),
    },
    receipt: { receivedAtMs, receivedAt: toIsoTime(receivedAtMs), retryCount, peerAddress: undefined },
    peerAddress: clientAddress(request, deps.trustedProxies),
    keys: new Uint32Array(2 * messages),
    lines: "",
    rows: 0,
    duplicates: 0,
  };
}

/** A picture cannot be told of an error: the answer is always the GIF; what went wrong is counted. */
async function handlePixel(
  request: IncomingMessage,
  response: ServerResponse,
  route: IngestRoute & { kind: "pixel" },
  parameters: URLSearchParams,
  deps: IngestDependencies,
): Promise<void> {
  const message = readPixel(parameters);
  try {
    if (message === undefined) throw new CandorError("body_not_object");
    message.writeKey ??= parameters.get("writeKey") ?? null;
    await takeIn(request, message, [message], route.type, deps);
  } catch (error) {
    deps.meters.countRefused(error instanceof CandorError ? error.code : "internal");
  }
  sendPixel(response);
}

/**
 * The settings that browser clients load first. An empty `integrations` would make analytics-next send every event to
 * Segment itself, therefore an unknown key gets the same shape.
 */
function sendSettings(
  request: IncomingMessage,
  response: ServerResponse,
  apiKey: string,
  deps: IngestDependencies,
): void {
  const protocol = clientProtocol(request, deps.trustedProxies);
  const host = /^[\w.:[\]-]+$/.exec(request.headers.host ?? "")?.[0] ?? "localhost";
  const settings = { integrations: { "Segment.io": { apiKey, apiHost: `${host}/v1`, protocol } } };
  sendJson(response, 200, JSON.stringify(settings));
}
