/** Takes the requests of instances about themselves, `POST /v1/instance/<action>`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import type { Semaphore } from "@candor/envelope/concurrency";
import type { InstanceAction } from "@candor/envelope/instance-proof";
import { CandorError } from "../errors.ts";
import { answerRequest, type InstanceDependencies, proveRequest } from "../instance/instance-request.ts";
import { sendJson, untilRead } from "./answer.ts";
import type { BodyReader } from "./body.ts";
import { findClient, isFromProxy } from "./client-address.ts";

/** A page of `compare` is cut off if its client has not read it by then. */
const COMPARE_READ_MS = 20_000;

export interface InstanceRouteDependencies extends OriginOptions {
  readonly readBody: BodyReader;
  readonly instances: InstanceDependencies;
  /** For pages of `compare`, which may be large. */
  readonly comparing: Semaphore;
}

/** @throws CandorError as proveRequest and answerRequest, and `too_many_requests` */
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
    await untilRead(response, COMPARE_READ_MS); // until then the whole page is in memory
  });
  if (answered === undefined) throw new CandorError("too_many_requests");
  await answered;
}

export interface OriginOptions {
  /** The operator's setting; undefined to go by each request's headers. */
  readonly origins: readonly string[] | undefined;
  readonly trustedProxies: BlockList;
}

/**
 * The addresses at which a request may have reached this collector, as `URL.origin` writes them: those of the
 * setting, else of its Host, and of a trusted proxy's X-Forwarded-Host. Both schemes count: a proxy that terminates
 * TLS need not be trusted.
 */
export function originsOf(request: IncomingMessage, options: OriginOptions): ReadonlySet<string> {
  if (options.origins !== undefined) return new Set(options.origins);
  const { host } = request.headers;
  const forwarded = request.headers["x-forwarded-host"];
  const isBelieved = typeof forwarded === "string" && isFromProxy(request, options.trustedProxies);
  // Each proxy appends what it saw, so the trusted one wrote the last entry.
  const hosts = [host, isBelieved ? forwarded.split(",").at(-1)?.trim() : undefined];
  return new Set(hosts.flatMap((name) => (name === undefined ? [] : toOrigins(name))));
}

function toOrigins(host: string): readonly string[] {
  if (!/^[\w.:[\]-]{1,260}$/.test(host)) return [];
  const urls = [`http://${host}`, `https://${host}`];
  return urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
}
