/** For tests: a forward proxy on loopback. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";

export interface ProxyServer {
  readonly port: number;
  /** The requests in order, each as `METHOD target` with the credentials received. */
  readonly requests: readonly { line: string; authorization: string | undefined }[];
  close(): void;
}

export interface ProxyServerOptions {
  /** The Proxy-Authorization that the proxy requires. Any other value is answered with 407. */
  readonly authorization?: string;
  /** The key and certificate that make this an https proxy, as PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** What the proxy sends in answer to CONNECT instead of connecting. */
  readonly connectAnswer?: string;
  /** The loopback port to which the proxy connects, whatever target a request names. */
  readonly targetPort: number;
}

/** Starts a forward proxy on loopback. It supports CONNECT, and requests with a whole URL. */
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
