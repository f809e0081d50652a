/** For tests of the gateway: a product's site with a small plan, on a server of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hashPlan, loadPlan } from "@candor/plan";
import { onTestFinished } from "vitest";
import type { GeneratedPlan } from "../../generated-plan.ts";
import { openForTest, type World, type WorldOptions } from "../../rig/in-process.ts";
import { createManualClock } from "../../rig/manual-clock.ts";
import { createGateway, type Gateway } from "../gateway.ts";
import type { GatewayOptions } from "../options.ts";
import type { GatewayRequest } from "../request.ts";

export const ON = { ACME_DISABLE_TELEMETRY: "false", ACME_CLIENT_TELEMETRY: "yes" };
export const UUID = "0b62ab60-02ad-4f69-a181-d9c5eb2f97fa";
export const NOW_MS = Date.parse("2026-11-23T12:00:00.000Z");
export const CLICK = { type: "track", event: "CLICK", anonymousId: UUID, properties: { role: "admin" } };
export const ALLOWED = { success: true };
export const NOT_ALLOWED = { success: true, accepted: 0, reason: "no_consent" };

export const ACME_TEXT = `
product: Acme
contact: https://acme.example/contact
version: 1
about: For the tests of the gateway.
promises: [No more than this.]
switches: { disable: ACME_DISABLE_TELEMETRY, opt_in: ACME_CLIENT_TELEMETRY }
turn_off: [Set the variable.]
changelog: [{ version: 1, date: "2026-11-23", text: The first. }]
sources:
  server:
    description: The server.
    consent: notice
    ip: truncate
    user_agent: family
    retention_days: 30
  client:
    description: The browser.
    consent: opt-in
    ip: truncate
    user_agent: family
    retention_days: 30
    context:
      ip: { type: string, format: ip, sensitivity: technical, description: Where, max_length: 45, example: 203.0.113.7 }
      userAgent: { type: string, format: user_agent, sensitivity: technical, description: What, max_length: 512, example: Mozilla/5.0 }
      locale: { type: string, sensitivity: technical, description: Which, pattern: "[a-z]{2}", max_length: 2, example: de }
    ids:
      anonymousId: { type: string, sensitivity: interaction, description: The browser, pattern: "[0-9a-f-]{36}", max_length: 36, example: ${UUID} }
      userId: { type: string, hash: true, sensitivity: interaction, description: Who, max_length: 64, example: ${"ab".repeat(32)} }
events:
  - type: track
    name: CLICK
    source: [client]
    since: 1
    why: To know.
    owner: Client team
    review: https://acme.example/1
    properties:
      role: { type: string, sensitivity: technical, description: Which, enum: [admin, viewer], max_length: 8, example: admin }
  - type: page
    name: Home
    source: [client]
    since: 1
    why: To know.
    owner: Client team
    review: https://acme.example/1
  - type: identify
    source: [client]
    since: 1
    why: To know.
    owner: Client team
    review: https://acme.example/1
    traits:
      role: { type: string, sensitivity: technical, description: Which, enum: [admin, viewer], max_length: 8, example: admin }
  - type: track
    name: Instance Active
    source: [server]
    since: 1
    why: To know.
    owner: Platform team
    review: https://acme.example/1
`;
export const ACME = planOf(ACME_TEXT);

/**
 * `ACME_TEXT` as a plan, in which clicks and sign-ins carry the instance's id in a property or trait of this
 * name.
 * @param client a further setting of the client, as a line of YAML
 */
export function planWithId(name: string, client = ""): GeneratedPlan {
  const role = /( +)role: .*/g;
  const id = `{ type: string, sensitivity: technical, description: Which, pattern: "[0-9a-f-]{36}", max_length: 36, example: ${UUID} }`;
  const text = ACME_TEXT.replace(role, (line, indent: string) => `${line}\n${indent}${name}: ${id}`);
  return planOf(text.replace("consent: opt-in", `consent: opt-in\n    ${client}`));
}

export function planOf(text: string): GeneratedPlan {
  const plan = loadPlan(text, "acme.yaml");
  return { hash: hashPlan(plan), content: JSON.parse(JSON.stringify(plan)) };
}

export interface Site extends World {
  readonly gateway: Gateway;
  /** The URL at which the gateway is mounted: `/telemetry` on the server. */
  readonly url: string;
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Reply>;
  /** Closes telemetry, so that every message is on disk, and returns the messages in the outbox. */
  readonly kept: () => readonly unknown[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface SiteOptions extends WorldOptions {
  readonly gateway?: Partial<GatewayOptions>;
  /** Runs before the gateway, and calls `go` to pass the request on to the gateway. */
  readonly middleware?: (request: GatewayRequest, response: ServerResponse, go: () => void) => void;
}

export async function openSite({ gateway: given, middleware, ...options }: SiteOptions = {}): Promise<Site> {
  const clock = options.clock ?? createManualClock(NOW_MS);
  const world = openForTest({ plan: ACME, environment: ON, clock, ...options });
  const gateway = createGateway(world.core, { writeKey: "client_key", ...given }, clock);
  const url = await serve((request, response) => {
    if (middleware === undefined) gateway(request, response);
    else middleware(request, response, () => gateway(request, response));
  });
  return {
    ...world,
    gateway,
    url: `${url}/telemetry`,
    post: (path, body, headers) => post(`${url}/telemetry${path}`, body, headers),
    kept: () => {
      world.core.close();
      return world.messages();
    },
  };
}

export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "text/plain", "user-agent": "Browser/1", ...headers },
    body: new Uint8Array(Buffer.from(bytes)),
  });
  return toReply(response);
}

export async function toReply(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
