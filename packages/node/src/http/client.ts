/** Posts to a collector, with time limits, cancelling, routing, and one retry on a stale connection. */
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import { MAX_TIMER_MS } from "../clock.ts";
import { type Connector, createConnector, type Route, RouteAgent } from "./connection.ts";
import { type Exchange, type ExchangeRequest, exchange, type HttpAnswer } from "./exchange.ts";
import { createExitWatch, isReading, type OwnRequests } from "./exit-watch.ts";
import { FaultError, faultOf, type HttpFault } from "./faults.ts";
import { createNames, hostsFileOf, type NameService, systemNameService } from "./names.ts";
import { chooseProxy, endpointOf } from "./proxy.ts";

export interface HttpPost {
  /** http or https; credentials in it are not sent. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The time limit for the whole post, from the name look-up to the complete answer. */
  readonly timeoutMs: number;
  /** Aborting it ends this post as `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

export type HttpOutcome =
  | { readonly ok: true; readonly answer: HttpAnswer }
  | { readonly ok: false; readonly fault: HttpFault };

export interface HttpClient {
  /**
   * Never rejects and never throws. Any status is an answer, including a redirect, which is not followed;
   * only a proxy's 407 is the fault `proxy`.
   */
  post(request: HttpPost): Promise<HttpOutcome>;
  /**
   * Ends current posts as `cancelled` and closes all sockets. Later posts are `cancelled` too. Aborting the
   * client's signal has the same effect.
   */
  close(): void;
}

export interface HttpClientOptions {
  /**
   * The environment that holds the variables for proxies and, on Windows, `SystemRoot`, which locates the
   * default hosts file.
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: the system's hosts file. */
  readonly hostsFile?: string;
  /** Default: the system's name service. */
  readonly nameService?: NameService;
  /** Certificates to trust instead of Node's own, as PEM. */
  readonly ca?: string;
  /** Aborting it closes the client. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates a client that never keeps a process alive: a process with nothing else to do ends in the middle of
 * a post.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { environment } = options;
  const sockets = new Set<Socket>();
  const connector = createConnector({
    names: createNames({
      hostsFile: options.hostsFile ?? hostsFileOf(environment),
      service: options.nameService ?? systemNameService,
      nowMs: () => performance.now(),
    }),
    ca: options.ca,
    onSocket: (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
  });
  const origins = createOrigins(connector, environment);
  const watch = createExitWatch({
    activeResources: () => process.getActiveResourcesInfo(),
    ownRequests: () => countRequests(sockets),
    isReading,
  });
  const closing = new AbortController();

  const post = async (request: HttpPost): Promise<HttpOutcome> => {
    const ending = new AbortController();
    const endAs = (fault: HttpFault) => (): void => ending.abort(new FaultError(fault));
    const cancel = endAs("cancelled");
    const limitMs = Math.min(Math.max(request.timeoutMs, 1), MAX_TIMER_MS);
    const timer = setTimeout(endAs("timeout"), limitMs).unref();
    const undo = [watch.enter(cancel), onAbort(closing.signal, cancel), onAbort(request.signal, cancel)];
    try {
      ending.signal.throwIfAborted();
      const result = await origins.send(request, ending.signal);
      return result.ok ? result : { ok: false, fault: result.fault };
    } catch (error) {
      return { ok: false, fault: faultOf(error) };
    } finally {
      for (const each of undo) each();
      clearTimeout(timer);
    }
  };

  const close = (): void => {
    closing.abort();
    watch.close();
    for (const socket of sockets) socket.destroy();
  };
  onAbort(options.signal, close);
  return { post, close };
}

/** Calls a function once a signal is aborted, at once if it already is. @returns a cancel function */
function onAbort(signal: AbortSignal | undefined, task: () => void): () => void {
  if (signal?.aborted) task();
  else signal?.addEventListener("abort", task, { once: true });
  return () => signal?.removeEventListener("abort", task);
}

function countRequests(sockets: ReadonlySet<Socket>): OwnRequests {
  const all = [...sockets];
  return {
    connecting: all.filter((socket) => socket.connecting).length,
    writing: all.filter((socket) => !socket.connecting && socket.writableLength > 0).length,
  };
}

interface Origin {
  readonly route: Route;
  readonly agent: RouteAgent;
}

interface Origins {
  /**
   * Sends a post by its origin's route, and once more if the kept-alive connection was stale.
   * @throws FaultError, or what http.request throws for an invalid header
   */
  send(post: HttpPost, signal: AbortSignal): Promise<Exchange>;
}

/**
 * Chooses the route to each origin only once, because a process does not change its environment. Each route
 * has one keep-alive agent.
 */
function createOrigins(connector: Connector, environment: HttpClientOptions["environment"]): Origins {
  const origins = new Map<string, Origin>();
  const originOf = (url: URL): Origin => {
    const known = origins.get(url.origin);
    if (known !== undefined) return known;
    const route = {
      target: endpointOf(url),
      isSecure: url.protocol === "https:",
      proxy: chooseProxy(environment, url),
    };
    const origin = { route, agent: new RouteAgent((signal) => connector.open(route, signal)) };
    origins.set(url.origin, origin);
    return origin;
  };
  return {
    async send(post, signal) {
      const { route, agent } = originOf(post.url);
      const asked = toRequest(post, route, agent, signal);
      const first = await exchange(asked, Date.now);
      if (first.ok || !first.isStale) return blamingProxy(first, route);
      agent.closeIdle();
      return blamingProxy(await exchange(asked, Date.now), route);
    },
  };
}

function toRequest(
  { url, headers, body }: HttpPost,
  { target, isSecure, proxy }: Route,
  agent: RouteAgent,
  signal: AbortSignal,
): ExchangeRequest {
  const path = `${url.pathname}${url.search}`;
  const common = { agent, ...target, body, signal };
  if (proxy === undefined || isSecure) return { ...common, path, headers: { ...headers, host: url.host } };
  const { authorization } = proxy;
  const credentials = authorization === undefined ? {} : { "proxy-authorization": authorization };
  // A proxy for plain HTTP gets the whole URL.
  return { ...common, path: `${url.origin}${path}`, headers: { ...headers, host: url.host, ...credentials } };
}

/**
 * Turns a 407 into the fault `proxy` if a proxy is in use: it wants other credentials. No collector sends a
 * 407.
 */
function blamingProxy(result: Exchange, { proxy }: Route): Exchange {
  const isRefused = proxy !== undefined && result.ok && result.answer.status === 407;
  return isRefused ? { ok: false, fault: "proxy", isStale: false } : result;
}
