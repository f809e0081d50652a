/** The gateway: handles a browser's request from arrival to answer. */
import type { ServerResponse } from "node:http";
import { ACCEPTED_BODY } from "@candor/envelope/http";
import type { MessageType } from "@candor/envelope/wire";
import { type Clock, machineClock } from "../clock.ts";
import type { Core } from "../core.ts";
import { siteOf } from "../incoming-request.ts";
import { sendPlanPage } from "../page-answer.ts";
import {
  GatewayCounts,
  GatewayFault,
  type GatewayReport,
  sendFault,
  sendJson,
  sendNotAllowed,
  sendTaken,
} from "./answer.ts";
import { BrowserGate, PERSON_ANSWERS } from "./consent.ts";
import { addressOf, type ClientAddress, type Recorder, readArrival, takeMessages } from "./messages.ts";
import { checkGateway, type GatewayOptions, readGatewayOptions } from "./options.ts";
import { createRates, type Rates } from "./rates.ts";
import {
  clientSettings,
  createBodyReader,
  findRoute,
  type GatewayRequest,
  type GatewayRoute,
  methodsOf,
  mountOf,
} from "./request.ts";

/** A request handler for node:http, and therefore for Express and other frameworks. Never throws. */
export interface Gateway {
  /**
   * Handles a request.
   * @param next called, before anything is read, for URLs that do not belong to the gateway; if omitted,
   * these URLs get a 404
   */
  (request: GatewayRequest, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** What the gateway has rejected since it was created. */
  readonly report: () => GatewayReport;
}

/**
 * Creates a handler that receives browsers' messages on the product's own origin, and has them recorded.
 * @param core undefined if telemetry can never be on
 */
export function createGateway(
  core: Core | undefined,
  options: GatewayOptions,
  clock: Clock = machineClock,
): Gateway {
  const { writeKey, clientAddress, maxMessagesPerSecond, publicPath, asksPeople } =
    readGatewayOptions(options);
  if (core !== undefined) core.problems.note("gateway", checkGateway(options, core));
  if (core !== undefined && writeKey !== undefined) core.addSource("client", writeKey);
  const counts = new GatewayCounts();
  const dependencies: GatewayDependencies = {
    core,
    gate: new BrowserGate(writeKey === undefined ? undefined : core, asksPeople),
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
    else void answer(request, response, route, dependencies);
  };
  return Object.assign(handle, { report: () => counts.report() });
}

interface GatewayDependencies {
  /** Undefined if telemetry can never be on. */
  readonly core: Core | undefined;
  readonly gate: BrowserGate;
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
  dependencies: GatewayDependencies,
): Promise<void> {
  try {
    await dispatch(request, response, route, dependencies);
  } catch (error) {
    const fault = error instanceof GatewayFault ? error : new GatewayFault("internal");
    dependencies.counts.refuse(fault.code);
    try {
      sendFault(response, fault);
    } catch {
      // The connection was lost.
    }
  }
}

async function dispatch(
  request: GatewayRequest,
  response: ServerResponse,
  route: GatewayRoute | undefined,
  dependencies: GatewayDependencies,
): Promise<void> {
  if (route === undefined) throw new GatewayFault("not_found");
  if (siteOf(request) === "elsewhere") throw new GatewayFault("not_same_origin");
  const methods = methodsOf(route);
  if (!methods.includes(request.method ?? ""))
    throw new GatewayFault("method_not_allowed", { allow: methods.join(", ") });
  if (route.kind === "plan") return showPlan(response, dependencies.core);
  if (route.kind === "consent")
    return request.method === "POST"
      ? await takeAnswer(request, response, dependencies)
      : sendJson(response, JSON.stringify(dependencies.gate.tell(request)));
  const core = dependencies.gate.admit(request);
  if (route.kind === "settings")
    return sendJson(
      response,
      clientSettings(request, {
        apiKey: route.writeKey,
        isAllowed: core !== undefined,
        publicPath: dependencies.publicPath,
      }),
    );
  // The metrics that clients report about themselves are accepted, but not read.
  if (route.kind === "client_metrics") return sendJson(response, ACCEPTED_BODY);
  if (core !== undefined) return await takeBody(request, response, route.type, core, dependencies);
  dependencies.counts.refuse("no_consent");
  sendNotAllowed(response);
}

/** Sends the page about the plan, for the person who is asked for consent. */
function showPlan(response: ServerResponse, core: Core | undefined): void {
  if (core === undefined) throw new GatewayFault("not_found");
  sendPlanPage(response, core.settings.plan);
}

async function takeAnswer(
  request: GatewayRequest,
  response: ServerResponse,
  { readBody, gate, rates, clientAddress, publicPath }: GatewayDependencies,
): Promise<void> {
  const address = addressOf(request, clientAddress);
  checkRate(rates, address);
  rates.take(address, 1);
  const { value } = await readBody(request);
  const answer = PERSON_ANSWERS.find((known) => known === value.answer);
  if (answer === undefined) throw new GatewayFault("answer_invalid");
  const cookie = gate.remember(request, answer, mountOf(request, publicPath));
  if (cookie !== undefined) response.setHeader("Set-Cookie", cookie);
  sendJson(response, JSON.stringify({ success: true, stored: cookie !== undefined }));
}

async function takeBody(
  request: GatewayRequest,
  response: ServerResponse,
  type: MessageType | undefined,
  core: Core,
  dependencies: GatewayDependencies,
): Promise<void> {
  const address = addressOf(request, dependencies.clientAddress);
  checkRate(dependencies.rates, address); // before the body is read
  const body = await dependencies.readBody(request);
  const { value, batch } = body;
  const items = batch ?? [value];
  checkRate(dependencies.rates, address, items.length);
  dependencies.rates.take(address, items.length);
  const receivedAtMs = dependencies.clock.now();
  const arrival = readArrival({
    request,
    body,
    type,
    core,
    receivedAtMs,
    address,
  });
  const record: Recorder = (draft) => core.record("client", draft);
  const dropped = await takeMessages(items, arrival, record, (reason) => dependencies.counts.drop(reason));
  sendTaken(response, { isBatch: batch !== undefined, messages: items.length, dropped });
}

function checkRate(rates: Rates, address: string | undefined, messages = 1): void {
  const waitS = rates.waitS(address, messages);
  if (waitS > 0) throw new GatewayFault("too_many_requests", { retryAfterS: Math.ceil(waitS) });
}
