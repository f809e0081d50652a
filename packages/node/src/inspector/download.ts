/** Writes the outbox as one file, so that an operator can keep what was sent before it is erased. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { MAX_PAGE_MESSAGES, readOutboxPage } from "../outbox/outbox-page.ts";

/**
 * Writes every message of an outbox, newest first, a JSON object a line: `{"state","source","message"}`. Reads a page at a
 * time, and waits for a slow reader. Stops when the reader leaves.
 */
export async function writeMessages(outbox: string, response: ServerResponse): Promise<void> {
  for (let before: string | undefined; !response.destroyed; ) {
    const page = await readOutboxPage(outbox, { limit: MAX_PAGE_MESSAGES, before });
    const lines = (page?.messages ?? []).map(
      ({ state, source, message, line }) =>
        `${JSON.stringify({ state, source, message: message ?? line })}\n`,
    );
    if (!response.write(lines.join(""))) await untilWritable(response);
    before = page?.next;
    if (before === undefined) break;
  }
  response.end();
}

async function untilWritable(response: ServerResponse): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once("close", leave);
  await once(response, "drain", { signal: leaving.signal }).catch(() => {});
  response.removeListener("close", leave);
}
