/** Owns the time and order of arrival: what tells two messages of one millisecond apart. */
import { toIsoTime } from "@candor/envelope";

/** When a request arrived, and which places its messages have in that millisecond. */
export interface Arrival {
  readonly receivedAtMs: number;
  readonly receivedAt: string;
  readonly firstSequence: number;
}

/** Gives the messages of each millisecond their places, from 0 on, in the order of their requests. */
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
