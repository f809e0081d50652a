/** For tests: a collector that records what the kit sends. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";

export interface Recorded {
  readonly path: string;
  readonly retryCount: string | undefined;
  readonly contentType: string | undefined;
  /** The raw body. */
  readonly body: Buffer;
}

/** A collector that keeps all requests it receives. It listens on a free port of the loopback interface. */
export interface Recorder {
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** Answers the requests that are waiting. Only for a recorder that was opened with `"waits"`. */
  answer(): void;
  close(): Promise<void>;
}

/**
 * How the recorder answers a request. A number: with this status. `page`: with a login page, as in a hotel's
 * network, and status 200. `page of 400`: with that page and status 400. `knows keys`: with 401 if the body
 * contains the write key `old`, otherwise with 200. `waits`: not until `answer` is called.
 */
export type Manner = number | "page" | "page of 400" | "knows keys" | "waits";

export async function openRecorder(manner: Manner): Promise<Recorder> {
  const requests: Recorded[] = [];
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      requests.push({
        path: `${request.method} ${request.url}`,
        retryCount: request.headers["x-retry-count"]?.toString(),
        contentType: request.headers["content-type"],
        body,
      });
      if (manner === "waits") waiting.push(response);
      else if (manner === "knows keys") reply(response, body.includes('"writeKey":"old"') ? 401 : 200);
      else reply(response, manner);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    answer: () => waiting.splice(0).forEach((response) => void reply(response, 200)),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Returns a URL on the loopback interface on which nothing listens. */
export async function closedUrl(): Promise<string> {
  const { url, close } = await openRecorder(200);
  await close();
  return url;
}

function reply(response: ServerResponse, status: number | "page" | "page of 400"): void {
  if (typeof status === "string") {
    response.statusCode = status === "page" ? 200 : 400;
    response.end("<html>Log in to the network</html>");
    return;
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(status === 200 ? '{"success":true}' : '{"success":false}');
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
