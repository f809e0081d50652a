/** Posts batches to the gateway, one at a time, and says when the next attempt may be made. */
import type { Gate } from "./gate.ts";

export interface Sender {
  /**
   * Posts a batch. Never rejects.
   * @returns true if the batch was delivered or finally rejected, false to retry it
   */
  readonly post: (batch: string | undefined) => Promise<boolean>;
  /** Whether the next request would continue after its page is closed. */
  readonly canOutlive: () => boolean;
  /**
   * Asks the browser to send a batch even if the page is closed.
   * @returns false if the browser does not accept it
   */
  readonly handOver: (batch: string | undefined) => boolean;
  /** Milliseconds until the next attempt may be made; zero or less if it may be made now. */
  readonly waitMs: () => number;
}

const MAX_RETRY_MS = 300_000;
/** The statuses below 500 after which a batch is retried, as it is after every status from 500 upward. */
const LATER = [408, 410, 429, 460];

export function openSender(url: string, writeKey: string, gate: Gate): Sender {
  let retries = 0;
  let notBeforeMs = 0;
  const toBody = (batch: string | undefined): string =>
    `{"batch":[${batch ?? ""}],"sentAt":"${new Date().toISOString()}","writeKey":${JSON.stringify(writeKey)}}`;
  /**
   * Browsers allow 64 KiB for all `keepalive` requests of a page together, including the product's own. A
   * request over that limit fails, so every second attempt does without `keepalive`. Firefox before 133 has
   * no `keepalive`.
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
        // The network failed, or the page is being closed.
      }
      const backoffMs = Math.min(MAX_RETRY_MS, 1000 * 2 ** retries++) * (1 + Math.random() / 2);
      notBeforeMs = Date.now() + Math.max(backoffMs, retryAfterMs);
      return false;
    },
    handOver: (batch) => {
      try {
        return navigator.sendBeacon(url, toBody(batch));
      } catch {
        return false; // `sendBeacon` is missing or blocked
      }
    },
    waitMs: () => notBeforeMs - Date.now(),
  };
}
