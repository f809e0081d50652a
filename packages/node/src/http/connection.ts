/** Opens sockets, directly or through a proxy, with or without TLS, and keeps them for the next request. */
import { Agent, type RequestOptions, request } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import { createSecureContext, type SecureContext, connect as startTls } from "node:tls";
import { isNativeError } from "node:util/types";
import { FaultError, faultOf } from "./faults.ts";
import type { Address, Names } from "./names.ts";
import type { Endpoint, ProxyServer } from "./proxy.ts";

/** How one origin is reached. */
export interface Route {
  readonly target: Endpoint;
  readonly isSecure: boolean;
  readonly proxy: ProxyServer | undefined;
}

/** Opens sockets. Each is unref'd from the start, so none keeps the process alive. */
export interface Connector {
  /** Opens a socket on which requests to the route's target may be written. @throws FaultError */
  open(route: Route, signal: AbortSignal): Promise<Socket>;
}

export interface ConnectorOptions {
  readonly names: Names;
  /** Certificates to trust instead of Node's own, as PEM. */
  readonly ca: string | undefined;
  /** Called with every TCP socket before it connects. */
  readonly onSocket: (socket: Socket) => void;
}

/** Idle sockets are closed after this time. */
const IDLE_MS = 10_000;
const MAX_ADDRESSES = 4;
/**
 * The time limit for one address while there is another one to try. The last address has no limit of its own.
 */
const ATTEMPT_MS = 2500;

export function createConnector({ names, ca, onSocket }: ConnectorOptions): Connector {
  let context: SecureContext | undefined; // made once: reading Node's certificates takes milliseconds
  const secure = (socket: Socket, host: string, signal: AbortSignal): Promise<Socket> => {
    context ??= createSecureContext(ca === undefined ? {} : { ca });
    return wrapInTls(socket, host, context, signal);
  };

  const dial = async ({ host, port }: Endpoint, signal: AbortSignal): Promise<Socket> => {
    const addresses = (await names.resolve(host, signal)).slice(0, MAX_ADDRESSES);
    let last: unknown = new FaultError("dns");
    for (const [index, address] of addresses.entries()) {
      signal.throwIfAborted();
      try {
        return await dialAddress(address, port, index < addresses.length - 1, signal, onSocket);
      } catch (error) {
        last = error;
      }
    }
    names.forget(host);
    throw last;
  };

  const reachProxy = async (proxy: ProxyServer, signal: AbortSignal): Promise<Socket> => {
    const socket = await dial(proxy, signal);
    return proxy.isSecure ? secure(socket, proxy.host, signal) : socket;
  };

  const open = async ({ target, isSecure, proxy }: Route, signal: AbortSignal): Promise<Socket> => {
    if (proxy === undefined) {
      const socket = await dial(target, signal);
      return isSecure ? secure(socket, target.host, signal) : socket;
    }
    const socket = await blamingProxy(reachProxy(proxy, signal));
    if (!isSecure) return socket;
    return secure(await blamingProxy(tunnel(socket, proxy, target, signal)), target.host, signal);
  };
  return { open };
}

/**
 * Attributes any failure to reach the proxy, or to open a tunnel through it, to the proxy, except a timeout
 * or a cancellation.
 */
async function blamingProxy(way: Promise<Socket>): Promise<Socket> {
  try {
    return await way;
  } catch (error) {
    const fault = faultOf(error);
    throw new FaultError(fault === "timeout" || fault === "cancelled" ? fault : "proxy");
  }
}

function dialAddress(
  { address, family }: Address,
  port: number,
  hasOther: boolean,
  signal: AbortSignal,
  onSocket: (socket: Socket) => void,
): Promise<Socket> {
  const socket = connect({ host: address, port, family, noDelay: true });
  socket.unref();
  onSocket(socket);
  const limit = hasOther
    ? setTimeout(() => socket.destroy(new FaultError("timeout")), ATTEMPT_MS).unref()
    : undefined;
  return untilReady(socket, "connect", "other", signal).finally(() => clearTimeout(limit));
}

function wrapInTls(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  const name = host.replace(/\.$/, "");
  const servername = isIP(name) === 0 ? name : ""; // an address must not appear in the server name extension
  const wrapped = startTls({ socket, host: name, servername, secureContext, ALPNProtocols: ["http/1.1"] });
  return untilReady(wrapped, "secureConnect", "tls", signal);
}

/**
 * Resolves with the socket once it emits the event. If it fails or closes first, or the signal is aborted,
 * rejects and destroys the socket. Later errors only destroy the socket; the request reports them.
 */
function untilReady(
  socket: Socket,
  event: "connect" | "secureConnect",
  unnamed: "other" | "tls",
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const end = (error: unknown): void => {
      signal.removeEventListener("abort", abort);
      reject(error);
      socket.destroy();
    };
    const abort = (): void => end(signal.reason);
    socket.on("error", (error) => end(new FaultError(faultOf(error, unnamed))));
    socket.once("close", () => end(new FaultError("reset")));
    socket.once(event, () => {
      signal.removeEventListener("abort", abort);
      resolve(socket);
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** Sends CONNECT. Resolves once the proxy has connected the socket to the target. */
function tunnel(
  socket: Socket,
  proxy: ProxyServer,
  { host, port }: Endpoint,
  signal: AbortSignal,
): Promise<Socket> {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const authorization =
    proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(error);
      socket.destroy();
    };
    const asked = request({
      method: "CONNECT",
      path: authority,
      headers: { host: authority, ...authorization },
      createConnection: () => socket,
      signal,
    });
    asked.on("error", (error) => fail(signal.aborted ? signal.reason : error));
    asked.once("close", () => fail(new FaultError("proxy")));
    asked.once("connect", ({ statusCode = 0 }, _stream, early) => {
      // Nothing may arrive before our first TLS message.
      if (statusCode < 200 || statusCode > 299 || early.length > 0) fail(new FaultError("proxy"));
      else {
        asked.removeAllListeners("close");
        resolve(socket);
      }
    });
    asked.end();
  });
}

export interface RouteRequestOptions extends RequestOptions {
  /** Cancels the connection attempt. Node's own `signal` is not passed to the agent. */
  readonly connectSignal?: AbortSignal;
}

/** Opens the sockets of one route, and keeps one idle socket for later requests. */
export class RouteAgent extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<Socket>;

  /** @param open opens a socket; its rejection becomes the request's error */
  constructor(open: (signal: AbortSignal) => Promise<Socket>) {
    super({ keepAlive: true, maxFreeSockets: 1, timeout: IDLE_MS });
    this.#open = open;
  }

  override createConnection(
    { connectSignal }: RouteRequestOptions,
    callback: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    this.#open(connectSignal ?? new AbortController().signal)
      .then(
        (socket) => callback(null, socket),
        (error) => callback(isNativeError(error) ? error : new Error("no connection")),
      )
      .catch(() => undefined);
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
}
