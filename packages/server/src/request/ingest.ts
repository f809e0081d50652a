import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import { isObject, type JsonObject, type MessageType, parseTime, toIsoTime } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError, causeOf } from "../errors.ts";
import type { ForgetDependencies } from "../forget/forget.ts";
import { handleInstanceRequest } from "../forget/instance-key.ts";
import type { Meters } from "../meters.ts";
import { type Dropped, type Intake, type PipelineDependencies, runSteps, submit } from "../pipeline.ts";
import { sendAccepted, sendBatchAccepted, sendError, sendJson, sendPixel, sendPreflight } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { clientAddress, clientProtocol } from "./client-address.ts";
import { readPixel } from "./pixel.ts";
import { findRoute, type IngestRoute, splitUrl } from "./route.ts";
import { findSource } from "./write-key.ts";

const MAX_BATCH_MESSAGES = 2500;

export interface IngestDependencies extends PipelineDependencies {
  readonly now: () => number;
  readonly readBody: BodyReader;
  readonly meters: Meters;
  readonly trustedProxies: BlockList;
  readonly forgetting: ForgetDependencies;
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
  const [path, query] = splitUrl(request.url ?? "");
  const route = findRoute(path);
  if (route === undefined) throw new CandorError("not_found");
  if (request.method === "OPTIONS") return sendPreflight(request, response);
  const method = route.kind === "pixel" || route.kind === "settings" ? "GET" : "POST";
  if (request.method !== method) throw new CandorError("method_not_allowed", { method });
  if (route.kind === "settings") return sendSettings(request, response, route.writeKey, deps);
  if (route.kind === "client_metrics") return sendJson(response, 200, '{"success":true}');
  if (route.kind === "pixel") return handlePixel(request, response, route, new URLSearchParams(query), deps);
  if (route.kind === "instance") {
    const body = await deps.readBody(request);
    if (route.action === "key") findSource(request, body, [], deps.sourceOfKey); // throws for a stranger
    const answer = await handleInstanceRequest(route.action, body, deps.forgetting);
    return sendJson(response, 200, JSON.stringify(answer));
  }
  return handleMessages(request, response, route.type, deps);
}

async function handleMessages(
  request: IncomingMessage,
  response: ServerResponse,
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Promise<void> {
  const taken = takeBody(request, await deps.readBody(request), pathType, deps);
  await taken.written;
  if (taken.isBatch) sendBatchAccepted(response, taken.messages, taken.dropped);
  else sendAccepted(response, taken.dropped);
}

/** What is left of a body once it is taken in: nothing that holds on to it while the disk is waited for. */
interface Taken {
  readonly isBatch: boolean;
  readonly messages: number;
  readonly dropped: readonly Dropped[];
  /** Resolves once what is kept of the messages is on disk. */
  readonly written: Promise<void>;
}

function takeBody(
  request: IncomingMessage,
  body: JsonObject,
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Taken {
  const { batch } = body;
  if (batch === undefined) return takeIn(request, body, [body], pathType, deps);
  if (!Array.isArray(batch)) throw new CandorError("batch_not_array");
  if (batch.length > MAX_BATCH_MESSAGES)
    throw new CandorError("batch_too_long", { limit: MAX_BATCH_MESSAGES });
  return { ...takeIn(request, body, batch, undefined, deps), isBatch: true };
}

function takeIn(
  request: IncomingMessage,
  body: JsonObject,
  items: readonly unknown[],
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Taken {
  const source = findSource(request, body, items, deps.sourceOfKey);
  const intake = openIntake(request, body, items.length, pathType, source, deps);
  const dropped = runStepsOrForget(items, intake, deps);
  const { rows } = intake;
  const written = submit(intake, deps).then(() => deps.meters.countMessages(source, rows, dropped));
  return { isBatch: false, messages: items.length, dropped, written };
}

/** A fault half-way must not leave messages remembered as received that are not kept. */
function runStepsOrForget(items: readonly unknown[], intake: Intake, deps: IngestDependencies): Dropped[] {
  try {
    return runSteps(items, intake, deps);
  } catch (error) {
    deps.dedupe.forget(intake.keys.subarray(0, 2 * intake.rows));
    throw error;
  }
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
    contactLines: "",
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
    await takeIn(request, message, [message], route.type, deps).written;
  } catch (error) {
    if (!(error instanceof CandorError)) deps.onFault(causeOf(error));
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
