/** Implements `candor tail`, which shows messages as they arrive. */
import { type ProductOption, withCollector } from "./keys.ts";
import { followLive, type SseEvent } from "./live-feed.ts";
import { parseLiveMessage, parseMissed, renderLiveLine } from "./live-line.ts";
import { awaitStop } from "./stop.ts";
import { coloursFor, print, report, toSafeJson } from "./terminal.ts";

export interface TailOptions extends ProductOption {
  readonly source?: string;
  readonly event?: string;
  readonly type?: string;
  readonly user?: string;
  /** Conditions, each `path=value`. */
  readonly where: readonly string[];
  readonly json?: boolean;
}

/**
 * Shows messages as the collector accepts or drops them, until it is told to stop. Resolves to 0, or to 2
 * without a token.
 * @throws Refused; CandorError `settings_invalid`, what findToken throws, or `unreachable` if no collector
 * answers at the start
 */
export async function tail(options: TailOptions): Promise<number> {
  return withCollector(options, async (collector) => {
    const stopping = new AbortController();
    void awaitStop().then(() => stopping.abort());
    const filters = toFilters(options);
    for await (const event of followLive({ ...collector, filters, signal: stopping.signal, report })) {
      await show(event, options.json === true);
    }
    return 0;
  });
}

/** Translates the options to the filters of /api/live, which validates them. */
export function toFilters({ source, event, type, user, where }: TailOptions): URLSearchParams {
  const filters = new URLSearchParams();
  for (const [name, value] of Object.entries({ source, event, type, userId: user })) {
    if (value !== undefined) filters.append(name, value);
  }
  for (const condition of where) {
    const at = condition.indexOf("=");
    filters.append(condition.slice(0, at), condition.slice(at + 1));
  }
  return filters;
}

async function show({ name, data }: SseEvent, asJson: boolean): Promise<void> {
  if (name === "missed") {
    const missed = parseMissed(data);
    report(`${missed} messages were skipped because they arrived faster than this terminal reads.`);
  } else if (name === "message" && asJson) {
    await print(`${toSafeJson(data)}\n`);
  } else if (name === "message") {
    const live = parseLiveMessage(data);
    const { columns } = process.stdout;
    if (live !== undefined) {
      const line = renderLiveLine(live, {
        colours: coloursFor(process.stdout),
        columns,
        toldAt: new Date(),
      });
      await print(`${line}\n`);
    }
  }
}
