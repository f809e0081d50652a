import { Agent, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isNativeError } from "node:util/types";

/** Idle sockets are closed after this. */
const IDLE_MS = 10_000;

export interface RouteRequestOptions extends RequestOptions {
  /** Ends the connecting. Node's own `signal` is not handed to the agent. */
  readonly connectSignal?: AbortSignal;
}

/** Keeps the sockets of one route for its next requests. */
export class RouteAgent extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<Socket>;

  /** @param open makes a socket; what it rejects with becomes the request's error */
  constructor(open: (signal: AbortSignal) => Promise<Socket>) {
    super({ keepAlive: true, maxFreeSockets: 2, timeout: IDLE_MS });
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
