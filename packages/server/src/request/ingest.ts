/** Handles a request of the ingest API from arrival to answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ALONE, MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES, type MessageType, readShared } from "@candor/envelope";
import { ACCEPTED_BODY, browserSettings, methodsOf, type RequestBody, splitUrl } from "@candor/envelope/http";
import type { Source } from "../config.ts";
import { CandorError, causeOf } from "../errors.ts";
import type { Dedupe } from "../log/dedupe.ts";
import type { Log } from "../log/log.ts";
import type { Meters, ProductMeters } from "../meters.ts";
import { type Dropped, type Intake, runSteps, type StepDependencies } from "../pipeline.ts";
import { sendAccepted, sendBatchAccepted, sendError, sendJson, sendPixel, sendPreflight } from "./answer.ts";
import { createArrivals } from "./arrivals.ts";
import { clientAddress, publicAddress } from "./client-address.ts";
import { handleInstance, type InstanceRouteDependencies } from "./instance-route.ts";
import { readPixel } from "./pixel.ts";
import { findRoute, type IngestRoute } from "./route.ts";
import { type Attribution, createAttribution, type OwnerOfKey } from "./write-key.ts";

/**
 * How many times longer JSON can become when it is parsed and serialised again: `1e15` has 4 bytes and
 * becomes 16.
 */
const MOST_WRITTEN = 4;

/** The parts of one product that its messages pass through. */
export interface IngestProduct extends StepDependencies {
  readonly name: string;
  readonly dedupe: Dedupe;
  readonly log: Log;
  readonly meters: Pick<ProductMeters, "countMessages">;
}

export interface IngestDependencies extends InstanceRouteDependencies {
  readonly products: readonly IngestProduct[];
  /** Returns the product and the source of a write key; undefined if it is unknown. */
  readonly ownerOfKey: OwnerOfKey;
  readonly now: () => number;
  readonly meters: Pick<Meters, "countRefused">;
  /** Called with the causes of unexpected errors, to report them to the operator. */
  readonly onFault: (error: unknown) => void;
}

export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Creates the ingest API, which is everything below `/v1/`: Segment's HTTP Tracking API, and the requests of
 * instances about themselves. The handler always answers and never rejects.
 */
export function createIngest(deps: IngestDependencies): IngestHandler {
  const line = createLine(deps);
  return async (request, response) => {
    try {
      await handle(request, response, deps, line);
    } catch (error) {
      sendError(response, countFault(error, deps));
    }
  };
}

/** Counts the error that ends a request, and reports it to the operator if it was not expected. */
function countFault(error: unknown, { meters, onFault }: IngestDependencies): CandorError {
  const known = error instanceof CandorError ? error : new CandorError("internal", {}, error);
  if (known.code === "internal") onFault(causeOf(error));
  meters.countRefused(known.code);
  return known;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  deps: IngestDependencies,
  line: Line,
): Promise<void> {
  const [path, query] = splitUrl(request.url ?? "");
  const route = findRoute(path);
  if (route === undefined) throw new CandorError("not_found");
  if (request.method === "OPTIONS") return sendPreflight(request, response);
  const methods = methodsOf(route);
  if (!methods.includes(request.method ?? ""))
    throw new CandorError("method_not_allowed", { allow: methods.join(", ") });
  switch (route.kind) {
    case "messages": {
      const { isBatch, items, dropped, kept } = await deps
        .readBody(request)
        .then((body) => line(request, body, route.type));
      await kept;
      if (isBatch) return sendBatchAccepted(response, items, dropped);
      return sendAccepted(response, dropped);
    }
    case "pixel":
      return handlePixel(request, response, route, new URLSearchParams(query), { deps, line });
    case "settings":
      return sendSettings(request, response, route.writeKey, deps);
    case "client_metrics":
      return sendJson(response, 200, ACCEPTED_BODY);
    case "instance":
      return handleInstance(request, response, route.action, deps);
  }
}

/**
 * What the answer to a request needs. It does not refer to the body, which can thus be freed while the disk
 * is written.
 */
interface Taken {
  readonly isBatch: boolean;
  readonly items: number;
  readonly dropped: readonly Dropped[];
  /** Resolves once all kept messages, and the originals of duplicates, are on disk. */
  readonly kept: Promise<void>;
}

type Line = (request: IncomingMessage, body: RequestBody, pathType: MessageType | undefined) => Taken;

function createLine(deps: IngestDependencies): Line {
  const attribution = createAttribution(deps.ownerOfKey);
  const products = new Map(deps.products.map((product) => [product.name, product]));
  const arrive = createArrivals(deps.now);
  const open = (
    request: IncomingMessage,
    { bytes }: RequestBody,
    given: Pick<Intake, "items" | "shared" | "pathType"> & { readonly attributed: Attribution },
  ): Intake => {
    const { items, shared, pathType, attributed } = given;
    const { receivedAtMs, receivedAt, firstSequence } = arrive(items.length);
    const retryCount = Number(request.headers["x-retry-count"] ?? 0);
    return {
      items,
      sourceOf: attributed.sourceOf,
      bringer: attributed.bringer,
      pathType,
      shared,
      isSmall:
        bytes * MOST_WRITTEN + shared.bytes <= MAX_MESSAGE_BYTES &&
        shared.bytes * items.length <= MAX_REQUEST_BYTES,
      reception: { receivedAtMs, receivedAt, retryCount, peerAddress: undefined },
      firstSequence,
      peerAddress: clientAddress(request, deps.trustedProxies),
      hasSignal: request.headers["sec-gpc"] === "1" || request.headers.dnt === "1",
      keys: new Uint32Array(2 * items.length),
      lines: "",
      contactLines: "",
      rows: 0,
      duplicates: 0,
    };
  };
  return (request, body, pathType) => {
    const { value, batch } = body;
    const isBatch = batch !== undefined;
    const attributed = isBatch ? attribution.batch(request, value, batch) : attribution.one(request, value);
    const intake = open(request, body, {
      items: batch ?? [value],
      shared: isBatch ? readShared(value) : ALONE,
      pathType: isBatch ? undefined : pathType,
      attributed,
    });
    const product = products.get(attributed.product);
    if (product === undefined) throw new Error("a write key belongs to no product");
    const dropped = run(intake, product);
    return {
      isBatch,
      items: intake.items.length,
      dropped,
      kept: keep(intake, attributed.common(), dropped, product),
    };
  };
}

/**
 * Runs the steps. If a fault interrupts them, forgets the messages: they are not kept, so a retry must not
 * count as a duplicate.
 */
function run(intake: Intake, product: IngestProduct): readonly Dropped[] {
  try {
    return runSteps(intake, product);
  } catch (error) {
    product.dedupe.forget(intake.keys.subarray(0, 2 * intake.rows));
    throw error;
  }
}

/**
 * Resolves once every kept message of the request, and the originals of its duplicates, are on disk. Rejects
 * with the same CandorError as `Log.append`; then none of the messages is kept.
 */
function keep(
  { rows, keys: all, lines, contactLines, duplicates }: Intake,
  source: Source | undefined,
  dropped: readonly Dropped[],
  { log, dedupe, meters }: IngestProduct,
): Promise<void> {
  const count = (): void => meters.countMessages(source, rows, dropped);
  if (rows === 0) return (duplicates === 0 ? Promise.resolve() : log.flushed()).then(count);
  const keys = all.length === 2 * rows ? all : all.subarray(0, 2 * rows);
  return log.append(keys, lines, contactLines).then(count, (error: unknown) => {
    dedupe.forget(keys);
    throw error;
  });
}

/**
 * Answers a pixel request. A pixel cannot show an error, so the answer is always the GIF. Faults are counted,
 * and unexpected ones are reported to the operator.
 */
async function handlePixel(
  request: IncomingMessage,
  response: ServerResponse,
  { type }: IngestRoute & { kind: "pixel" },
  parameters: URLSearchParams,
  { deps, line }: { readonly deps: IngestDependencies; readonly line: Line },
): Promise<void> {
  const message = readPixel(parameters);
  try {
    if (message === undefined || message.batch !== undefined) throw new CandorError("body_not_object");
    message.writeKey ??= parameters.get("writeKey") ?? null;
    const body = { value: message, batch: undefined, bytes: request.url?.length ?? 0 };
    await line(request, body, type).kept;
  } catch (error) {
    countFault(error, deps);
  }
  sendPixel(response);
}

/**
 * Sends the settings for a browser. An unknown key gets the same settings: without them, a browser would send
 * every event to Segment.
 */
function sendSettings(
  request: IncomingMessage,
  response: ServerResponse,
  apiKey: string,
  deps: IngestDependencies,
): void {
  const { protocol, host, prefix } = publicAddress(request, deps.trustedProxies);
  sendJson(response, 200, browserSettings({ apiKey, protocol, apiHost: `${host}${prefix}/v1` }));
}
