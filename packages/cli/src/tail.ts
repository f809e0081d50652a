import { refuse, toReachable } from "@candor/node/operator";
import { readSettings } from "./environment.ts";
import { findToken, toNoTokenSentence } from "./known-keys.ts";
import { followLive } from "./live-feed.ts";
import { renderLiveLine } from "./live-line.ts";
import { parseLiveMessage, parseMissed } from "./live-message.ts";
import type { SseEvent } from "./sse.ts";
import { awaitStop } from "./stop-signal.ts";
import { coloursFor, endWithReader, print, report, toSafeJson } from "./terminal.ts";

export interface TailOptions {
  readonly source?: string;
  readonly event?: string;
  readonly type?: string;
  readonly user?: string;
  /** `path=value` each. */
  readonly where: readonly string[];
  readonly json?: boolean;
}

/**
 * `candor tail`: shows messages as the collector takes or drops them, until Ctrl-C (0). 2: there is no token.
 * @throws Refused; CandorError `settings_invalid`, and `unreachable` when no collector answers at the start
 */
export async function tail(options: TailOptions): Promise<number> {
  endWithReader();
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  const stopping = new AbortController();
  void awaitStop().then(() => stopping.abort());
  const url = toReachable(config.url);
  const filters = toFilters(options);
  for await (const event of followLive({ url, token, filters, signal: stopping.signal, report })) {
    await show(event, options.json === true);
  }
  return 0;
}

/** The filters of /api/live, which checks them itself. */
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
    report(`${missed} messages are not shown: they came faster than they were read here.`);
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
