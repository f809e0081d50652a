/**
 * The process that sends well-formed single events, one every 50 ms until it is told to stop. It is separate,
 * so that CPU time of the abusive client does not look like a delay of the collector. `startTrickle` starts
 * it. Its first message is "started", its last message is TrickleFigures.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TrickleFigures } from "./trickle.ts";
import { usageEvents, usageFleet } from "./usage-event.ts";

const EVERY_MS = 50;
const TIMEOUT_MS = 30_000;

const [, , url = "", writeKey = ""] = process.argv;
const nextEvent = usageEvents(usageFleet(), 3);
const pending = new Set<Promise<void>>();
let isStopping = false;
let answered = 0;
let failed = 0;
let maxMs = 0;

process.once("disconnect", () => process.exit(1));
process.once("message", () => {
  isStopping = true;
});

await post();
// The first request also opened the connection and warmed the code.
maxMs = 0;
process.send?.("started");
while (!isStopping) {
  const sent = post().finally(() => pending.delete(sent));
  pending.add(sent);
  await sleep(EVERY_MS);
}
await Promise.all(pending);
const figures: TrickleFigures = { answered, failed, maxMs };
process.send?.(figures, undefined, undefined, () => process.exit(0));

async function post(): Promise<void> {
  const startAt = performance.now();
  const timestamp = new Date().toISOString();
  try {
    const response = await fetch(`${url}/v1/track`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}` },
      body: JSON.stringify({ ...nextEvent(), messageId: randomUUID(), timestamp, sentAt: timestamp }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
    if (response.ok) answered++;
    else failed++;
  } catch {
    failed++;
  }
  maxMs = Math.max(maxMs, performance.now() - startAt);
}
