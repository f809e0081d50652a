/** For tests: an HTTP server that records the requests it receives. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface RecordedRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly retryCount: string | undefined;
  /** The request's body, inflated. */
  readonly text: string;
  readonly body: { readonly [key: string]: unknown };
  /** The messages of a batch. */
  readonly messages: readonly RecordedMessage[];
}

export interface RecordedMessage {
  readonly messageId: string;
  readonly [key: string]: unknown;
}

/**
 * Answers a request and returns true, or returns undefined; the recorder then answers like a collector that
 * keeps everything.
 */
export type Answerer = (request: RecordedRequest, response: ServerResponse) => boolean | undefined;

/** An HTTP server that records the requests it receives, and keeps batches as a collector would. */
export interface Recorder {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** The messages of batches that were answered as kept, in order, including duplicates. */
  readonly kept: RecordedMessage[];
  /** Answers a request instead of the recorder if it returns true. */
  answer: Answerer | undefined;
  close(): Promise<void>;
}

export async function startRecorder(port = 0): Promise<Recorder> {
  const server: Server = createServer((request, response) => {
    readRequest(request).then(
      (recorded) => {
        recorder.requests.push(recorded);
        if (recorder.answer?.(recorded, response) === true) return;
        recorder.kept.push(...recorded.messages);
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ success: true, accepted: recorded.messages.length, dropped: [] }));
      },
      () => {}, // the sender was killed, or gave up
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  const recorder: Recorder = {
    url: `http://127.0.0.1:${taken}`,
    requests: [],
    kept: [],
    answer: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return recorder;
}

async function readRequest(request: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8");
  const body = JSON.parse(text) as { readonly batch?: RecordedMessage[] };
  return {
    path: request.url ?? "",
    authorization: request.headers.authorization,
    retryCount: request.headers["x-retry-count"]?.toString(),
    text,
    body: { ...body },
    messages: body.batch ?? [],
  };
}
