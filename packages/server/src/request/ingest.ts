import type { IncomingMessage, ServerResponse } from "node:http";
import { isObject, type JsonObject, type MessageType, parseTime, toIsoTime } from "@candor/envelope";
import type { Source } from "../config.ts";
import { CandorError, causeOf } from "../errors.ts";
import type { Meters } from "../meters.ts";
import { type Dropped, type Intake, type PipelineDependencies, runSteps, submit } from "../pipeline.ts";
import { sendAccepted, sendBatchAccepted, sendError, sendJson, sendPixel, sendPreflight } from "./answer.ts";
import { clientAddress, clientProtocol } from "./client-address.ts";
import { handleInstance, type InstanceRouteDependencies } from "./instance-route.ts";
import { readPixel } from "./pixel.ts";
import { findRoute, type IngestRoute, methodsOf, splitUrl } from "./route.ts";
import { type Attribution, attributeItems, attributeOne, findSource } from "./write-key.ts";

const MAX_BATCH_MESSAGES = 2500;

export interface IngestDependencies extends PipelineDependencies, InstanceRouteDependencies {
  readonly now: () => number;
  readonly meters: Meters;
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
  const methods = methodsOf(route);
  if (!methods.includes(request.method ?? ""))
    throw new CandorError("method_not_allowed", { allow: methods.join(", ") });
  if (route.kind === "settings") return sendSettings(request, response, route.writeKey, deps);
  if (route.kind === "client_metrics") return sendJson(response, 200, '{"success":true}');
  if (route.kind === "pixel") return handlePixel(request, response, route, new URLSearchParams(query), deps);
  if (route.kind === "instance") return handleInstance(request, response, route.action, deps);
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
  if (batch === undefined) return takeOne(request, body, pathType, deps);
  if (!Array.isArray(batch)) throw new CandorError("batch_not_array");
  if (batch.length > MAX_BATCH_MESSAGES)
    throw new CandorError("batch_too_long", { limit: MAX_BATCH_MESSAGES });
  const source = findSource(request, body, batch, deps.sourceOfKey);
  const attribution = attributeItems(source, deps.sourceOfKey);
  return {
    ...takeIn(request, { body, items: batch, bringer: source, pathType: undefined, attribution }, deps),
    isBatch: true,
  };
}

function takeOne(
  request: IncomingMessage,
  body: JsonObject,
  pathType: MessageType | undefined,
  deps: IngestDependencies,
): Taken {
  const bringer = findSource(request, body, [], deps.sourceOfKey);
  return takeIn(
    request,
    { body, items: [body], bringer, pathType, attribution: attributeOne(bringer) },
    deps,
  );
}

/** What a request brings. */
interface Delivery {
  readonly body: JsonObject;
  readonly items: readonly unknown[];
  /** Whose key the request itself has. */
  readonly bringer: Source | undefined;
  /** The path's, of a single message. */
  readonly pathType: MessageType | undefined;
  readonly attribution: Attribution;
}

function takeIn(request: IncomingMessage, delivery: Delivery, deps: IngestDependencies): Taken {
  const { items, attribution } = delivery;
  const intake = openIntake(request, delivery, deps);
  const dropped = runStepsOrForget(items, intake, deps);
  const { rows } = intake;
  const source = attribution.common();
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
  { body, items, bringer, pathType, attribution }: Delivery,
  deps: IngestDependencies,
): Intake {
  const receivedAtMs = deps.now();
  const retryCount = Number(request.headers["x-retry-count"] ?? 0);
  return {
    sourceOf: attribution.sourceOf,
    bringer,
    pathType,
    batch: {
      context: isObject(body.context) ? body.context : undefined,
      integrations: isObject(body.integrations) ? body.integrations : undefined,
      sentAtMs: parseTime(body.sentAt),
    },
    receipt: { receivedAtMs, receivedAt: toIsoTime(receivedAtMs), retryCount, peerAddress: undefined },
    peerAddress: clientAddress(request, deps.trustedProxies),
    keys: new Uint32Array(2 * items.length),
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
    await takeOne(request, message, route.type, deps).written;
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
