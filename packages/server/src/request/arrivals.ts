/** Assigns arrival times and sequence numbers, which distinguish messages of the same millisecond. */
import { toIsoTime } from "@candor/envelope";

/** When a request arrived, and the sequence number of its first message within that millisecond. */
export interface Arrival {
  readonly receivedAtMs: number;
  readonly receivedAt: string;
  readonly firstSequence: number;
}

/**
 * Creates a function that is to be called for each request with the number of its messages. It numbers the
 * messages of each millisecond from 0, in the order of the calls.
 */
export function createArrivals(now: () => number): (messages: number) => Arrival {
  let lastMs = Number.NaN;
  let receivedAt = "";
  let next = 0;
  return (messages) => {
    const receivedAtMs = now();
    if (receivedAtMs !== lastMs) {
      lastMs = receivedAtMs;
      receivedAt = toIsoTime(receivedAtMs);
      next = 0;
    }
    const firstSequence = next;
    next += messages;
    return { receivedAtMs, receivedAt, firstSequence };
  };
}
