/** For tests: a TCP server whose answers need not be valid HTTP. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface WireServer {
  readonly url: URL;
  /** Number of connections so far. */
  readonly connections: number;
  /** Number of open connections. */
  readonly open: number;
  /** Closes the listener and every connection. */
  close(): void;
}

/**
 * Starts a TCP server on loopback whose answers need not be valid HTTP.
 * @param serve receives each connection, with its number, which starts at 1
 */
export async function startWireServer(serve: (socket: Socket, number: number) => void): Promise<WireServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    connections += 1;
    serve(socket, connections);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: new URL(`http://127.0.0.1:${port}/v1/batch`),
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Calls `take` with each complete request on the socket: its head, and its body according to Content-Length.
 */
export function onRequest(socket: Socket, take: (request: { head: string; body: string }) => void): void {
  let received = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text;
    for (;;) {
      const split = received.indexOf("\r\n\r\n") + 4;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (split < 4 || received.length < split + length) return;
      const request = { head: received.slice(0, split), body: received.slice(split, split + length) };
      received = received.slice(split + length);
      take(request);
    }
  });
}
