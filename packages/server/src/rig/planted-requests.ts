/** For tests: requests with secrets planted mostly outside messages. */
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import type { Secrets } from "./planted-secrets.ts";
import { newInstance, signBody } from "./signing-instance.ts";

export interface PlantedRequest {
  readonly method: string;
  /** Sent as it is, without being turned into a valid URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether the answer repeats the request's input to its sender by design. */
  readonly isEcho?: boolean;
}

/**
 * Sends the request as it is; returns the status and the body. Without a complete answer, the status is 0.
 */
export function sendRaw(
  url: string,
  { method, path, headers, body }: PlantedRequest,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", () => resolve({ status: 0, text }));
    });
    sent.on("error", () => resolve({ status: 0, text: "" }));
    sent.end(body);
  });
}

const JSON_TYPE = { "content-type": "application/json" };

/**
 * Creates requests that carry secrets, mostly outside messages. `message` is a message that the plan accepts.
 */
export function plantedRequests(
  message: object,
  key: string,
  adminToken: string,
  secrets: Secrets,
): PlantedRequest[] {
  const basic = { authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` };
  const body = JSON.stringify(message);
  return [
    ...inHeaders(body, basic, secrets),
    ...inBodies(body, basic, secrets),
    ...inSharedParts(body, basic, secrets),
    ...inAddresses(body, basic, secrets),
    ...inQueries(adminToken, secrets),
  ];
}

type Headers = Readonly<Record<string, string>>;

const HEADERS = [
  "referer",
  "user-agent",
  "cookie",
  "x-forwarded-for",
  "x-forwarded-proto",
  "forwarded",
  "x-real-ip",
  "origin",
  "x-custom",
  "x-retry-count",
  "accept-language",
  "content-type",
  "content-encoding",
  "access-control-request-headers",
];

function inHeaders(body: string, basic: Headers, secrets: Secrets): PlantedRequest[] {
  const path = "/v1/track";
  return [
    ...HEADERS.flatMap((name) =>
      secrets.allFor(`header ${name}`).flatMap((secret) => [
        { method: "POST", path, body, headers: { ...basic, [name]: secret } },
        { method: "GET", path: "/privacy", headers: { [name]: secret } },
      ]),
    ),
    ...secrets.allFor("authorization").flatMap((secret) => [
      {
        method: "POST",
        path,
        body,
        headers: { authorization: `Basic ${Buffer.from(`${secret}:`).toString("base64")}` },
      },
      { method: "POST", path, body, headers: { authorization: secret } },
      { method: "GET", path: "/api/events", headers: { authorization: `Bearer ${secret}` } },
    ]),
    ...secrets.allFor("body's key").map((secret) => ({
      method: "POST",
      path: "/v1/batch",
      body: JSON.stringify({ writeKey: secret, batch: [{ writeKey: secret }] }),
    })),
    ...secrets
      .allFor("preflight")
      .map((secret) => ({ method: "OPTIONS", path, headers: { origin: secret } })),
  ];
}

function inBodies(body: string, basic: Headers, secrets: Secrets): PlantedRequest[] {
  const post = (text: string | Buffer, headers: Headers = {}, path = "/v1/batch"): PlantedRequest => ({
    method: "POST",
    path,
    body: text,
    headers: { ...basic, ...headers },
  });
  return [
    ...secrets
      .allFor("malformed body")
      .flatMap((secret) => [
        post(`{"batch":[{"email":"${secret}`),
        post(secret, JSON_TYPE),
        post(`"${secret}"`, { "content-type": "text/plain" }),
        post(`[{"email":"${secret}"}]`),
        post(JSON.stringify({ batch: secret })),
        post(JSON.stringify({ batch: [secret, [secret], null] })),
        post(Buffer.concat([Buffer.from(`{"a":"${secret}`), Buffer.from([0xff, 0xfe])])),
      ]),
    ...secrets.allFor("gzip").flatMap((secret) => {
      const packed = gzipSync(
        JSON.stringify({ batch: [{ ...JSON.parse(body), note: secret }], [secret]: secret }),
      );
      const headers = { "content-encoding": "gzip" };
      return [post(packed, headers), post(packed.subarray(0, packed.length - 9), headers), post(packed)];
    }),
    ...secrets
      .allFor("too large")
      .map((secret) => post(JSON.stringify({ batch: [{ note: secret.repeat(60_000) }] }))),
  ];
}

function inSharedParts(body: string, basic: Headers, secrets: Secrets): PlantedRequest[] {
  const post = (text: string | Buffer, headers: Headers = {}, path = "/v1/batch"): PlantedRequest => ({
    method: "POST",
    path,
    body: text,
    headers: { ...basic, ...headers },
  });
  return [
    ...secrets
      .allFor("large event")
      .map((secret) =>
        post(JSON.stringify({ batch: [{ ...JSON.parse(body), properties: { note: secret.repeat(3000) } }] })),
      ),
    ...secrets.allFor("batch level").map((secret) =>
      post(
        JSON.stringify({
          batch: [JSON.parse(body)],
          context: { note: secret, [secret]: secret, ip: secret, page: { url: secret } },
          integrations: { [secret]: secret },
          sentAt: secret,
          [secret]: secret,
        }),
      ),
    ),
    ...secrets
      .allFor("form")
      .map((secret) =>
        post(
          `email=${encodeURIComponent(secret)}`,
          { "content-type": "application/x-www-form-urlencoded" },
          "/v1/track",
        ),
      ),
    ...secrets.allFor("instance request").flatMap((secret) => inInstanceRequests(secret, basic)),
  ];
}

function inInstanceRequests(secret: string, basic: Headers): PlantedRequest[] {
  const claim = { signedAt: new Date().toISOString(), origin: "http://127.0.0.1" };
  const good = signBody("compare", newInstance(), claim);
  const post = (action: string, body: object): PlantedRequest => ({
    method: "POST",
    path: `/v1/instance/${action}`,
    body: JSON.stringify(body),
    headers: basic,
  });
  return [
    ...Object.keys(good).map((field) => post("forget", { ...good, [field]: secret })),
    post("compare", { ...good, cursor: secret }),
    post("compare", { ...good, limit: secret }),
    { ...post("compare", good), headers: { ...basic, host: secret, "x-forwarded-host": secret } },
  ];
}

function inAddresses(body: string, basic: Headers, secrets: Secrets): PlantedRequest[] {
  const safe = (secret: string): string[] => [encodeURIComponent(secret), secret.replaceAll("#", "%23")];
  return [
    ...secrets
      .allFor("path")
      .flatMap(safe)
      .flatMap((part) => [
        { method: "POST", path: `/v1/${part}`, body, headers: basic },
        { method: "POST", path: `/v1/track/${part}`, body, headers: basic },
        { method: "GET", path: `/${part}` },
        { method: "GET", path: `/%zz${part}` },
        { method: "POST", path: `/${part}`, body: `{"a":"${part}`, headers: JSON_TYPE },
        { method: "POST", path: "/privacy", body: `{"a":"${part}`, headers: JSON_TYPE },
        { method: "DELETE", path: `/api/${part}`, headers: { "content-type": part } },
        { method: "GET", path: `/v1/projects/${part}/settings`, isEcho: true },
      ]),
    ...secrets
      .allFor("query")
      .flatMap(safe)
      .flatMap((part) => [
        { method: "POST", path: `/v1/track?email=${part}&${part}`, body, headers: basic },
        { method: "GET", path: `/metrics?${part}` },
        { method: "GET", path: `/v1/pixel/track?writeKey=${part}&properties.${part}=${part}` },
      ]),
    ...secrets.allFor("pixel").map((secret) => {
      const data = Buffer.from(
        JSON.stringify({ ...JSON.parse(body), note: secret, context: { note: secret } }),
      );
      const { authorization = "" } = basic;
      const key = Buffer.from(authorization.slice(6), "base64").toString().slice(0, -1);
      const parameters = new URLSearchParams({ data: data.toString("base64"), writeKey: key });
      return { method: "GET", path: `/v1/pixel/track?${parameters}` };
    }),
    ...secrets.allFor("pixel garbage").map((secret) => ({
      method: "GET",
      path: `/v1/pixel/track?data=${encodeURIComponent(Buffer.from(`{"a":"${secret}`).toString("base64"))}`,
    })),
  ];
}

/**
 * Plants secrets in requests to the read API. They must not be kept either, neither in one of the store's own
 * logs nor in a line reported to the operator.
 */
function inQueries(adminToken: string, secrets: Secrets): PlantedRequest[] {
  const bearer = { authorization: `Bearer ${adminToken}` };
  const names = [
    "userId",
    "messageId",
    "event",
    "properties.x",
    "context.page.url",
    "from",
    "cursor",
    "limit",
    "type",
  ];
  return [
    ...secrets.allFor("filter").flatMap((secret) =>
      names.flatMap((name) => {
        const query = `${name}=${encodeURIComponent(secret)}`;
        return [
          { method: "GET", path: `/api/events?${query}`, headers: bearer },
          { method: "GET", path: `/api/events?${query}` },
        ];
      }),
    ),
    ...secrets.allFor("filter name").flatMap((secret) => {
      const name = encodeURIComponent(secret);
      return ["", "properties.", "properties.a%00", "properties.%ED%A0%80"].map((root) => ({
        method: "GET",
        path: `/api/count?${root}${name}=${name}&${root}${name}=1`,
        headers: bearer,
      }));
    }),
    ...secrets.allFor("report").map((secret) => ({
      method: "GET",
      path: `/api/reports/plan?from=${encodeURIComponent(secret)}`,
      headers: bearer,
    })),
    ...secrets.allFor("forget body").flatMap((secret) => [
      {
        method: "POST",
        path: "/api/forget",
        body: `{"user":"${secret}`,
        headers: { ...bearer, ...JSON_TYPE },
      },
      { method: "POST", path: "/api/forget", body: secret, headers: { ...bearer, "content-type": "text/x" } },
      {
        method: "POST",
        path: "/api/forget",
        body: `{"__proto__":{"a":"${secret}"}}`,
        headers: { ...bearer, ...JSON_TYPE },
      },
      { method: "POST", path: "/api/events", body: `{"user":"${secret}`, headers: JSON_TYPE },
    ]),
  ];
}
