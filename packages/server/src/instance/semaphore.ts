import type { ServerResponse } from "node:http";
import { CandorError } from "../errors.ts";

export interface Semaphore {
  /**
   * Runs `answer`, which ends the response, and holds a turn until its client has read it all, at most `maxReadMs`: a
   * slow reader keeps the whole answer in memory.
   * @throws CandorError `too_many_requests` when no turn is free; what `answer` throws
   */
  take(response: ServerResponse, answer: () => Promise<void>): Promise<void>;
}

/** Lets so many large answers be made and read at a time. */
export function createSemaphore(most: number, maxReadMs: number): Semaphore {
  let taken = 0;
  return {
    take: async (response, answer) => {
      if (taken >= most) throw new CandorError("too_many_requests");
      taken += 1;
      try {
        await answer();
        await untilRead(response, maxReadMs);
      } finally {
        taken -= 1;
      }
    },
  };
}

async function untilRead(response: ServerResponse, maxReadMs: number): Promise<void> {
  if (response.destroyed || response.closed) return;
  const cut = setTimeout(() => response.destroy(), maxReadMs).unref();
  await new Promise((resolve) => response.once("close", resolve));
  clearTimeout(cut);
}
