/** Adapts Segment's client for Node to the interface of the conformance runs. */
import { Analytics } from "@segment/analytics-node";
import type { Call, ClientOptions, OfficialClient, Outcome } from "./official-client.ts";

/**
 * Opens @segment/analytics-node. Its defaults apply where the options say nothing: a batch at 15 events or
 * every 10 s, and 10 retries.
 */
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
    // The default timeout is 75 s, which is less than the retries may take.
    close: () => analytics.closeAndFlush({ timeout: 200_000 }),
    reported,
    retryCount: () => retryCount,
  };
}

function hand(analytics: Analytics, call: Call, callback: (error: Outcome["error"]) => void): void {
  const { type, ...message } = call;
  // The SDK's types list reserved traits and differ per method, but every method accepts the same message.
  (analytics[type] as (message: unknown, callback: unknown) => void).call(analytics, message, callback);
}
