/** Posts batches to the gateway, one at a time, and says when the next attempt may be made. */
import type { Gate } from "./gate.ts";

export interface Sender {
  /** @returns true if the batch is dealt with, false if it has to be tried again. Never rejects. */
  readonly post: (batch: string | undefined) => Promise<boolean>;
  /** Whether the next request would go on after its page is gone. */
  readonly canOutlive: () => boolean;
  /** Gives a batch to the browser, to send when the page is gone. @returns false if it does not take it */
  readonly handOver: (batch: string | undefined) => boolean;
  /** Milliseconds until it may be tried again. */
  readonly waitMs: () => number;
}

const MAX_RETRY_MS = 300_000;
/** Of answers that say "later", besides those of 500 and more. */
const LATER = [408, 410, 429, 460];

export function openSender(url: string, writeKey: string, gate: Gate): Sender {
  let retries = 0;
  let notBeforeMs = 0;
  const toBody = (batch: string | undefined): string =>
    `{"batch":[${batch ?? ""}],"sentAt":"${new Date().toISOString()}","writeKey":${JSON.stringify(writeKey)}}`;
  /**
   * All requests of a page that outlive it have 64 KiB together, also the product's own: where there is no room the
   * request fails, and the next attempt is a plain one. Firefox before 133 has none.
   */
  const canOutlive = (): boolean => "keepalive" in Request.prototype && retries % 2 === 0;
  return {
    canOutlive,
    post: async (batch) => {
      let retryAfterMs = 0;
      try {
        const response = await fetch(url, { method: "POST", body: toBody(batch), keepalive: canOutlive() });
        const { status } = response;
        const answer = await response.text();
        if (status === 204 || answer.includes('"no_consent"')) await gate.ask(true);
        if (status < 500 && !LATER.includes(status)) {
          retries = 0;
          return true;
        }
        retryAfterMs = Number(response.headers.get("Retry-After")) * 1000;
      } catch {
        // The network; or the page is going.
      }
      const backoffMs = Math.min(MAX_RETRY_MS, 1000 * 2 ** retries++) * (1 + Math.random() / 2);
      notBeforeMs = Date.now() + Math.max(backoffMs, retryAfterMs);
      return false;
    },
    handOver: (batch) => {
      try {
        return navigator.sendBeacon(url, toBody(batch));
      } catch {
        return false; // none, or blocked
      }
    },
    waitMs: () => notBeforeMs - Date.now(),
  };
}
