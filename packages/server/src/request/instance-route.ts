/** Handles the requests that instances send about themselves, `POST /v1/instance/<action>`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import type { Semaphore } from "@candor/envelope/concurrency";
import type { InstanceAction } from "@candor/envelope/instance-proof";
import { CandorError } from "../errors.ts";
import { answerRequest, type InstanceDependencies, proveRequest } from "../instance/instance-request.ts";
import { sendJson, untilRead } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { findClient, isFromProxy } from "./client-address.ts";

/** How long a client may take to read a page of `compare` before its connection is closed. */
const COMPARE_READ_MS = 20_000;

export interface InstanceRouteDependencies extends OriginOptions {
  readonly readBody: BodyReader;
  readonly instances: InstanceDependencies;
  /** Limits how many pages of `compare` are sent at the same time, because each may be large. */
  readonly comparing: Semaphore;
}

/**
 * Answers an instance's request about itself.
 * @throws the same CandorErrors as BodyReader, proveRequest and answerRequest, and `too_many_requests`
 */
export async function handleInstance(
  request: IncomingMessage,
  response: ServerResponse,
  action: InstanceAction,
  deps: InstanceRouteDependencies,
): Promise<void> {
  const { value: body } = await deps.readBody(request);
  const { name: peer } = findClient(request, deps.trustedProxies);
  const asking = { peer, origins: originsOf(request, deps) };
  const proven = proveRequest(action, body, asking, deps.instances);
  const answer = async (): Promise<void> =>
    sendJson(response, 200, await answerRequest(proven, deps.instances));
  if (action !== "compare") return answer();
  const answered = deps.comparing.run(async () => {
    await answer();
    await untilRead(response, COMPARE_READ_MS); // until the client has read it, the whole page is in memory
  });
  if (answered === undefined) throw new CandorError("too_many_requests");
  await answered;
}

export interface OriginOptions {
  /** The origins that the operator has set; if undefined, each request's headers decide. */
  readonly origins: readonly string[] | undefined;
  readonly trustedProxies: BlockList;
}

/**
 * The addresses at which a request may have reached this collector, in the form of `URL.origin`. If the
 * operator has set origins, these are returned. Otherwise they are derived from the request's Host and from a
 * trusted proxy's X-Forwarded-Host. Both schemes are included, because a proxy that terminates TLS need not
 * be trusted.
 */
export function originsOf(request: IncomingMessage, options: OriginOptions): ReadonlySet<string> {
  if (options.origins !== undefined) return new Set(options.origins);
  const { host } = request.headers;
  const forwarded = request.headers["x-forwarded-host"];
  const isBelieved = typeof forwarded === "string" && isFromProxy(request, options.trustedProxies);
  // Each proxy appends the host that it saw, so the trusted proxy wrote the last entry.
  const hosts = [host, isBelieved ? forwarded.split(",").at(-1)?.trim() : undefined];
  return new Set(hosts.flatMap((name) => (name === undefined ? [] : toOrigins(name))));
}

function toOrigins(host: string): readonly string[] {
  if (!/^[\w.:[\]-]{1,260}$/.test(host)) return [];
  const urls = [`http://${host}`, `https://${host}`];
  return urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
}
