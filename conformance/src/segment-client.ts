/** Owns Segment's client for Node as the runs use it. */
import { Analytics } from "@segment/analytics-node";
import type { Call, ClientOptions, OfficialClient, Outcome } from "./official-client.ts";

/** @segment/analytics-node with its defaults: batches of 15, every 10 s, 10 retries. */
export function openSegmentClient({ url, writeKey, retries }: ClientOptions): OfficialClient {
  const analytics = new Analytics({
    writeKey,
    host: url,
    ...(retries === undefined ? {} : { maxRetries: retries }),
  });
  const reported: unknown[] = [];
  let retryCount = 0;
  analytics.on("error", (error) => reported.push(error));
  analytics.on("http_request", ({ headers }) => {
    if (headers["X-Retry-Count"] !== undefined) retryCount++;
  });
  return {
    send: (call) => new Promise((resolve) => hand(analytics, call, (error) => resolve({ error }))),
    // Its default gives up after 75 s, which is less than its retries may take.
    close: () => analytics.closeAndFlush({ timeout: 200_000 }),
    reported,
    retryCount: () => retryCount,
  };
}

function hand(analytics: Analytics, call: Call, callback: (error: Outcome["error"]) => void): void {
  const { type, ...message } = call;
  // Its types name reserved traits and one method a call; its code takes the same message in each.
  (analytics[type] as (message: unknown, callback: unknown) => void).call(analytics, message, callback);
}
