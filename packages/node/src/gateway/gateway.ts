import type { ServerResponse } from "node:http";
import type { MessageType } from "@candor/envelope/wire";
import { type Clock, machineClock } from "../clock.ts";
import type { Core } from "../core.ts";
import { originOf } from "../request-origin.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { sendFault, sendJson, sendNotAllowed, sendTaken } from "./answer.ts";
import { createBodyReader, type GatewayRequest } from "./body.ts";
import { clientSettings } from "./client-settings.ts";
import { GatewayCounts, type GatewayReport } from "./counts.ts";
import { addressOf, type ClientAddress, openDelivery } from "./delivery.ts";
import { GatewayFault } from "./faults.ts";
import { takeMessages } from "./intake.ts";
import { checkGateway, type GatewayOptions, readGatewayOptions } from "./options.ts";
import { createRates, type Rates } from "./rates.ts";
import { findRoute, type GatewayRoute } from "./route.ts";

const MAX_BATCH_MESSAGES = 2500;

/** A request handler of node:http, and so of Express and others. Never throws. */
export interface Gateway {
  /** @param next called, with nothing read, for addresses that are not the gateway's; without it these get a 404 */
  (request: GatewayRequest, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** What it turned away since it began. */
  readonly report: () => GatewayReport;
}

/**
 * Takes the messages of a product's own pages, on the product's own origin, and puts them into the outbox: browsers talk to
 * no third host, and one switch covers server and browser. Undefined core: telemetry cannot be on.
 */
export function createGateway(
  core: Core | undefined,
  options: GatewayOptions,
  clock: Clock = machineClock,
): Gateway {
  const { writeKey, clientAddress, maxMessagesPerSecond, publicPath } = readGatewayOptions(options);
  if (core !== undefined) core.problems.note("gateway", checkGateway(options, core));
  if (core !== undefined && writeKey !== undefined) core.addSource("client", writeKey);
  const counts = new GatewayCounts();
  const desk: Desk = {
    admit: createAdmission(writeKey === undefined ? undefined : core),
    clientAddress,
    publicPath,
    rates: createRates(maxMessagesPerSecond, clock.monotonic),
    readBody: createBodyReader(clock),
    counts,
    clock,
  };
  const handle = (request: GatewayRequest, response: ServerResponse, next?: () => void): void => {
    const route = findRoute(request.url ?? "");
    if (route === undefined && typeof next === "function") next();
    else void answer(request, response, route, desk);
  };
  return Object.assign(handle, { report: () => counts.report() });
}

interface Desk {
  readonly admit: Admission;
  readonly clientAddress: ClientAddress | undefined;
  readonly publicPath: string | undefined;
  readonly rates: Rates;
  readonly readBody: ReturnType<typeof createBodyReader>;
  readonly counts: GatewayCounts;
  readonly clock: Clock;
}

/** Answers a request, whatever happens. Never rejects. */
async function answer(
  request: GatewayRequest,
  response: ServerResponse,
  route: GatewayRoute | undefined,
  desk: Desk,
): Promise<void> {
  try {
    await dispatch(request, response, route, desk);
  } catch (error) {
    const fault = error instanceof GatewayFault ? error : new GatewayFault("internal");
    desk.counts.refuse(fault.code);
    try {
      sendFault(response, fault);
    } catch {
      // The connection is gone.
    }
  }
}

async function dispatch(
  request: GatewayRequest,
  response: ServerResponse,
  route: GatewayRoute | undefined,
  desk: Desk,
): Promise<void> {
  if (route === undefined) throw new GatewayFault("not_found");
  if (originOf(request) === "elsewhere") throw new GatewayFault("not_same_origin");
  if (request.method !== (route.kind === "settings" ? "GET" : "POST"))
    throw new GatewayFault("method_not_allowed");
  const core = desk.admit(request);
  if (route.kind === "settings")
    return sendJson(
      response,
      200,
      clientSettings(request, {
        apiKey: route.writeKey,
        isAllowed: core !== undefined,
        publicPath: desk.publicPath,
      }),
    );
  // The clients' metrics about themselves: nothing of it is read.
  if (route.kind === "client_metrics") return sendJson(response, 200, { success: true });
  if (core !== undefined) return await takeBody(request, response, route.type, core, desk);
  desk.counts.refuse("no_consent");
  sendNotAllowed(response);
}

async function takeBody(
  request: GatewayRequest,
  response: ServerResponse,
  type: MessageType | undefined,
  core: Core,
  desk: Desk,
): Promise<void> {
  const address = addressOf(request, desk.clientAddress);
  checkRate(desk.rates, address); // before anything is read
  const body = await desk.readBody(request);
  const { batch } = body;
  const isBatch = batch !== undefined && batch !== null;
  if (isBatch && !Array.isArray(batch)) throw new GatewayFault("batch_not_array");
  const items: readonly unknown[] = isBatch ? batch : [body];
  if (items.length > MAX_BATCH_MESSAGES) throw new GatewayFault("batch_too_long");
  checkRate(desk.rates, address, items.length);
  desk.rates.take(address, items.length);
  const receivedAtMs = desk.clock.now();
  const delivery = openDelivery({
    request,
    body,
    type,
    core,
    receivedAtMs,
    address,
  });
  const dropped = await takeMessages(items, delivery, (draft) => core.record("client", draft));
  desk.counts.drop(dropped);
  sendTaken(response, { isBatch, messages: items.length, dropped });
}

function checkRate(rates: Rates, address: string | undefined, messages = 1): void {
  const waitS = rates.waitS(address, messages);
  if (waitS > 0) throw new GatewayFault("too_many_requests", Math.max(1, Math.ceil(waitS)));
}
