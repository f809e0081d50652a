/**
 * The process that stands in for the collector in the SDK benchmarks. It accepts every request, and counts
 * usage events and their distinct ids, separately for each port. A port that is not open refuses connections,
 * as if the collector were down. `startSink` starts the process and controls it by messages.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { SinkAnswer, SinkOrder, Tally } from "./sink.ts";
import { usageIds } from "./wire.ts";

type Lane = { readonly ids: Set<string>; received: number; server: Server | null };

const gunzipBody = promisify(gunzip);
const lanes = new Map<number, Lane>();

process.once("disconnect", () => process.exit(0));
process.on("message", async ({ id, action, port }: SinkOrder) => {
  const answer: SinkAnswer = { id, tally: null, error: null };
  try {
    const tally = action === "open" ? await open(port) : tallyOf(port);
    process.send?.({ ...answer, tally });
  } catch (fault) {
    process.send?.({ ...answer, error: String(fault) });
  }
});

async function open(port: number): Promise<null> {
  const lane: Lane = lanes.get(port) ?? { ids: new Set(), received: 0, server: null };
  const server = createServer((request, response) => void take(lane, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  lane.server = server;
  lanes.set(port, lane);
  return null;
}

function tallyOf(port: number): Tally {
  const lane = lanes.get(port);
  return { distinct: lane?.ids.size ?? 0, received: lane?.received ?? 0 };
}

async function take(lane: Lane, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  let accepted = 0;
  // Other paths carry no events.
  if (/\/batch\/?$/.test(request.url ?? "")) {
    const isZipped = request.headers["content-encoding"] === "gzip";
    for (const id of usageIds(String(isZipped ? await gunzipBody(body) : body))) {
      lane.ids.add(id);
      accepted++;
    }
  }
  lane.received += accepted;
  // Fields that SDKs check: Candor and the Segment family check `success`, PostHog checks `status`.
  const answer = { success: true, accepted, dropped: [], status: "Ok" };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
}
