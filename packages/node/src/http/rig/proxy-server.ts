/** For tests: a forward proxy on loopback. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";

export interface ProxyServer {
  readonly port: number;
  /** `METHOD target`, and the credentials received with it, in order. */
  readonly requests: readonly { line: string; authorization: string | undefined }[];
  close(): void;
}

export interface ProxyServerOptions {
  /** The Proxy-Authorization that it requires; anything else is answered with 407. */
  readonly authorization?: string;
  /** Makes it an https proxy, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Sent instead of connecting. */
  readonly connectAnswer?: string;
  /** Every name leads to this port on loopback. */
  readonly targetPort: number;
}

/** A forward proxy on loopback: CONNECT, and requests with a whole URL. */
export async function startProxyServer(options: ProxyServerOptions): Promise<ProxyServer> {
  const requests: { line: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const isAllowed = ({ method, url, headers }: IncomingMessage): boolean => {
    const authorization = headers["proxy-authorization"];
    requests.push({ line: `${method} ${url}`, authorization });
    return authorization === options.authorization;
  };
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (!isAllowed(incoming)) return void outgoing.writeHead(407).end();
    const { method, headers, url = "" } = incoming;
    const { pathname, search } = new URL(url);
    const path = `${pathname}${search}`;
    const onward = request(
      { host: "127.0.0.1", port: options.targetPort, method, path, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(onward);
  };
  const server = options.tls === undefined ? createServer(forward) : createSecureServer(options.tls, forward);
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  server.on("connect", (incoming: IncomingMessage, socket: Socket) => {
    socket.on("error", () => undefined);
    if (!isAllowed(incoming)) return void socket.end("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
    if (options.connectAnswer !== undefined) return void socket.end(options.connectAnswer);
    const onward = connect(options.targetPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Go on\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    requests,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
