/** Owns RudderStack's client for Node as the runs use it. */
import { setTimeout as sleep } from "node:timers/promises";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import type { Call, ClientOptions, OfficialClient, Outcome } from "./official-client.ts";

/**
 * @rudderstack/rudder-sdk-node with its defaults: the first event alone, then batches of 20 or every 10 s, gzip,
 * 3 retries. It has no close, and its flush sends one batch.
 */
export function openRudderClient({ url, writeKey, retries, gzip }: ClientOptions): OfficialClient {
  const reported: unknown[] = [];
  let retryCount = 0;
  let pending = 0;
  const analytics = new RudderAnalytics(writeKey, {
    dataPlaneUrl: url,
    logLevel: "none",
    // Without a handler a failed background flush is an unhandled rejection, which ends the process.
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
        await sleep(5); // its callbacks come a turn of the event loop later
      }
    },
    reported,
    retryCount: () => retryCount,
  };
}

function hand(analytics: RudderAnalytics, call: Call, callback: (error?: Outcome["error"]) => void): void {
  const { type, ...message } = call;
  // Its types know neither arrays in arrays nor the callback's error; its code does.
  (analytics[type] as (message: unknown, callback: unknown) => unknown).call(analytics, message, callback);
}
