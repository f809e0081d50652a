/** The only server of the browser benchmarks: serves pages, answers every SDK and records request bodies. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface Sink {
  readonly url: string;
  /** Pages and scripts by path. */
  readonly files: Map<string, string>;
  /** All requests except those that `files` answers, in order. */
  readonly requests: Received[];
  /** How many of the next requests with a click get no answer: they are recorded, then disconnected. */
  unanswered: number;
  readonly close: () => void;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

const PLAN = {
  version: 1,
  events: [
    { name: "HOME_PAGE_LOAD", routes: ["/*"], fields: [] },
    { name: "DEPLOY_CLICK", fields: ["id"] },
  ],
  context: {},
};
const ANSWERS: readonly (readonly [path: RegExp, answer: object])[] = [
  [/^\/telemetry-unanswered\//, { allow: false, reason: "consent_missing", refused: false, ask: false }],
  [
    /^\/telemetry\/v1\/consent/,
    { allow: true, reason: "consented", refused: false, ask: false, since: 1, plan: PLAN },
  ],
  [/^\/v1\/projects\//, { integrations: { "Segment.io": { apiKey: "key" } } }],
  [
    /^\/sourceConfig/,
    {
      source: {
        id: "s",
        name: "s",
        writeKey: "key",
        enabled: true,
        workspaceId: "w",
        destinations: [],
        config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
        dataplanes: {},
      },
    },
  ],
  [
    /^\/(flags|decide|array)/,
    { featureFlags: {}, supportedCompression: ["gzip-js"], sessionRecording: false },
  ],
];

const fixture = (name: string) =>
  readFileSync(new URL(`../../../packages/node/src/http/fixtures/${name}`, import.meta.url));

/**
 * Starts the sink on HTTPS, because Glean accepts nothing else. Browsers need `--ignore-certificate-errors`,
 * because they do not trust the sink's certificate.
 */
export async function startSink(): Promise<Sink> {
  const tls = { key: fixture("test-only-key.pem"), cert: fixture("test-only-certificate.pem") };
  const server = createServer(tls, (request, response) => void answer(request, response, sink));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sink: Sink = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: new Map(),
    requests: [],
    unanswered: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return sink;
}

async function answer(request: IncomingMessage, response: ServerResponse, sink: Sink): Promise<void> {
  const { method = "", url = "" } = request;
  const [path = ""] = url.split("?");
  const page = sink.files.get(path);
  if (page !== undefined) {
    response.setHeader("Content-Type", path.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8");
    return void response.end(page);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = toText(Buffer.concat(chunks), url);
  sink.requests.push({ method, url, body });
  if (body.includes("click-") && sink.unanswered > 0) {
    sink.unanswered -= 1;
    return void request.socket.destroy();
  }
  const [, found = { success: true, status: 1 }] = ANSWERS.find(([pattern]) => pattern.test(url)) ?? [];
  response.setHeader("Content-Type", path.endsWith(".js") ? "text/javascript" : "application/json");
  response.end(path.endsWith(".js") ? "" : JSON.stringify(found));
}

/** Decodes a body, which may be gzipped, base64 or plain text. @param url may say that it is base64 */
export function toText(body: Buffer, url = ""): string {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body).toString();
  const text = body.toString();
  if (text.startsWith("data=") || url.includes("compression=base64"))
    return Buffer.from(decodeURIComponent(text.replace(/^data=/, "")), "base64").toString();
  return text;
}

export interface Arrival {
  /** The click's id. */
  readonly click: string;
  /** The id by which a collector could recognise a repeated message; undefined if there is none. */
  readonly messageId: string | undefined;
}

/** The names under which SDKs send a message's id. */
const ID_NAMES = ["messageId", "uuid", "document_id"];

/** All clicks in a body, including repeated ones; empty if the body is not JSON. */
export function clicksIn(body: string): readonly Arrival[] {
  try {
    return clicksOf(JSON.parse(body), undefined);
  } catch {
    return [];
  }
}

function clicksOf(value: unknown, outerId: string | undefined): readonly Arrival[] {
  if (typeof value === "string" && /^click-\d+-\d+$/.test(value))
    return [{ click: value, messageId: outerId }];
  // Plausible sends its properties as a JSON string inside the JSON.
  if (typeof value === "string" && value.startsWith("{") && value.includes("click-"))
    return clicksOf(JSON.parse(value), outerId);
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const id =
    entries.find(([name, inner]) => ID_NAMES.includes(name) && typeof inner === "string")?.[1] ?? outerId;
  return entries.flatMap(([, inner]) => clicksOf(inner, id as string | undefined));
}
