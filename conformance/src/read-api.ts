/** Reads events, counts and reports from the collector's read API. */
import type { Envelope } from "@candor/envelope";

/** The collector's URL, and the admin token for its read API. */
export interface ReadAccess {
  readonly url: string;
  readonly adminToken: string;
}

/** An event as GET /api/events returns it. */
export type StoredEvent = Envelope & {
  readonly candor: {
    readonly source: string;
    readonly country?: string;
    readonly planVersion: number;
    /**
     * Declared paths, with `*` for undeclared names, at which the plan removed a value, or kept an undeclared
     * one in mode `observe`.
     */
    readonly trimmed?: readonly string[];
  };
};

const TIMEOUT_MS = 30_000;

/**
 * GET /api/count: the number of distinct messageIds among the events that match the filters.
 * @throws Error with the answer's text if the collector rejects the request
 */
export async function countEvents(access: ReadAccess, filters: Record<string, string>): Promise<number> {
  const { count } = (await getJson(access, "/api/count", filters)) as { count: number };
  return count;
}

/**
 * GET /api/events, all pages. An event that is stored twice is returned twice.
 * @throws the same Error as countEvents
 */
export async function readEvents(
  access: ReadAccess,
  filters: Record<string, string>,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const at: Record<string, string> = cursor === undefined ? {} : { cursor };
    const page = (await getJson(access, "/api/events", { ...filters, ...at, limit: "1000" })) as {
      events: StoredEvent[];
      next: string | null;
    };
    events.push(...page.events);
    cursor = page.next;
  }
  return events;
}

/** GETs JSON from any path. @throws the same Error as countEvents */
export async function getJson(
  { url, adminToken }: ReadAccess,
  path: string,
  parameters: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${path} was answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
