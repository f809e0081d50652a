/** Adapts RudderStack's client for Node to the interface of the conformance runs. */
import { setTimeout as sleep } from "node:timers/promises";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import type { Call, ClientOptions, OfficialClient, Outcome } from "./official-client.ts";

/**
 * Opens @rudderstack/rudder-sdk-node. Its defaults apply where the options say nothing: the first event is
 * sent alone, then a batch at 20 events or every 10 s, with gzip and 3 retries. The SDK has no close method,
 * and its flush sends only one batch.
 */
export function openRudderClient({ url, writeKey, retries, gzip }: ClientOptions): OfficialClient {
  const reported: unknown[] = [];
  let retryCount = 0;
  let pending = 0;
  const analytics = new RudderAnalytics(writeKey, {
    dataPlaneUrl: url,
    logLevel: "none",
    // Without a handler, a failed background flush is an unhandled rejection, which ends the process.
    errorHandler: (error: unknown) => void reported.push(error),
    axiosRetryConfig: { onRetry: () => void retryCount++ },
    ...(retries === undefined ? {} : { retryCount: retries }),
    ...(gzip === undefined ? {} : { gzip }),
  });
  return {
    send(call) {
      pending++;
      return new Promise((resolve) => {
        hand(analytics, call, (error) => {
          pending--;
          resolve({ error });
        });
      });
    },
    async close() {
      while (pending > 0) {
        await analytics.flush();
        await sleep(5); // the callbacks run one turn of the event loop later
      }
    },
    reported,
    retryCount: () => retryCount,
  };
}

function hand(analytics: RudderAnalytics, call: Call, callback: (error?: Outcome["error"]) => void): void {
  const { type, ...message } = call;
  // The SDK's types allow neither nested arrays nor an error in the callback, but its code handles both.
  (analytics[type] as (message: unknown, callback: unknown) => unknown).call(analytics, message, callback);
}
