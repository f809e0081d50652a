/** Implements `candor export`, which prints stored events as lines of JSON. */
import { askForEvents } from "./collector.ts";
import { type ProductOption, withCollector } from "./keys.ts";
import { createProgress, print } from "./terminal.ts";

/** Events per request, the most that the collector gives. */
const PAGE_SIZE = 1000;

export interface ExportOptions extends ProductOption {
  /** Times in RFC 3339, of the events: not before, and before. */
  readonly from?: string;
  readonly to?: string;
  readonly source?: string;
  readonly event?: string;
}

/**
 * Prints each event as one line, as `GET /api/events` shows it, newest first. Resolves to 0, or to 2 if nothing
 * was asked.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`, and what `findToken` throws
 */
export async function exportEvents({ product, ...options }: ExportOptions): Promise<number> {
  return withCollector({ product }, async (collector) => {
    const progress = createProgress();
    let exported = 0;
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = { limit: String(PAGE_SIZE), ...(cursor && { cursor }) };
      const { events, next } = await askForEvents(collector, new URLSearchParams({ ...options, ...page }));
      for (const event of events) await print(`${JSON.stringify(event)}\n`);
      exported += events.length;
      progress.show(`${exported.toLocaleString("en")} events exported`);
      cursor = next;
    }
    progress.end();
    return 0;
  });
}
