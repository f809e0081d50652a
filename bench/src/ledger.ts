/**
 * The ledger's process: a small client that accounts for every message. It remembers every acknowledged
 * messageId, and resends unacknowledged requests unchanged and with X-Retry-Count, as real clients do.
 * `startLedger` starts this process.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerMessage, LedgerOptions, LedgerReport } from "./ledger-options.ts";
import { idTag, idWriter, timeWriter } from "./patch.ts";
import {
  buildRequest,
  defaultPath,
  type RequestTemplate,
  stampedId,
  stampRequest,
} from "./request-template.ts";
import { seededRandom, usageEvents, usageFleet } from "./usage-event.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_AFTER_MS = 100;
const REPORT_EVERY_MS = 500;
const retriedStatuses = new Set([408, 410, 429, 460]);

type State = {
  readonly acknowledgedIds: string[];
  readonly refused: string[];
  retries: number;
  unsettled: number;
  /** The time until which requests are retried. Null as long as new requests are sent. */
  finishBy: number | null;
};

const state: State = { acknowledgedIds: [], refused: [], retries: 0, unsettled: 0, finishBy: null };

process.once("disconnect", () => process.exit(1));
process.once("message", (message) => {
  const options = message as LedgerOptions;
  process.once("message", (finish) => {
    state.finishBy = performance.now() + (finish as { finishWithinMs: number }).finishWithinMs;
  });
  const timer = setInterval(() => report({ acknowledged: state.acknowledgedIds.length }), REPORT_EVERY_MS);
  const count = options.senders ?? 8;
  Promise.all(Array.from({ length: count }, (_, index) => sendOn(options, index, count))).then(
    () => {
      clearInterval(timer);
      const { finishBy: _, ...last } = state;
      report(last satisfies LedgerReport, () => process.exit(0));
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

function report(message: LedgerMessage, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, onSent);
}

/** The share of requests that are repeated at random, without an outage. */
const REPEATED = 0.05;

/**
 * Sends one request at a time, at this sender's share of the rate. After an outage, it
 * does not try to catch up.
 */
async function sendOn(options: LedgerOptions, index: number, senders: number): Promise<void> {
  const { batchSize = 20, eventsPerSecond, idPrefix, seed } = options;
  const everyMs = (1000 * batchSize * senders) / eventsPerSecond;
  const nextEvent = usageEvents(usageFleet(), seed * 256 + index);
  const writeId = idWriter(idTag(idPrefix, index));
  const writeTime = timeWriter();
  const target = {
    host: new URL(options.url).host,
    path: defaultPath(batchSize),
    writeKey: options.writeKey,
  };
  const random = seededRandom(seed * 256 + index);
  let previous: RequestTemplate | null = null;
  let dueAt = performance.now() + (everyMs * index) / senders;
  while (state.finishBy === null) {
    await sleep(Math.max(0, dueAt - performance.now()));
    dueAt = Math.max(dueAt + everyMs, performance.now());
    const template = buildRequest(target, Array.from({ length: batchSize }, nextEvent));
    stampRequest(template, writeId, writeTime, Date.now());
    const attempts = await settle(options, template);
    if (previous !== null && (attempts > 1 || random() < REPEATED)) await repeat(options, previous);
    previous = template;
  }
}

/**
 * Sends an acknowledged request again until it is answered, like a client whose 200 was lost on the way.
 * Kills alone rarely hit that moment, so this is done after each outage and at random. The repeated request
 * has to be accepted, but not stored a second time.
 */
async function repeat(options: LedgerOptions, template: RequestTemplate): Promise<void> {
  const isPending = () => state.finishBy === null || performance.now() < state.finishBy;
  for (let attempt = 1; isPending(); attempt++) {
    state.retries++;
    const answer = await post(options, template, attempt);
    if (answer !== "retry") {
      state.refused.push(...(answer === "refused" ? idsOf(template) : answer.dropped));
      return;
    }
    await sleep(RETRY_AFTER_MS);
  }
}

function idsOf(template: RequestTemplate): string[] {
  return template.idOffsets.map((_, index) => stampedId(template, index));
}

/**
 * Sends until each event is acknowledged or refused, or the time is up. Resolves with the number of sends.
 */
async function settle(options: LedgerOptions, template: RequestTemplate): Promise<number> {
  const ids = idsOf(template);
  let attempt = 0;
  for (; state.finishBy === null || performance.now() < state.finishBy; attempt++) {
    if (attempt > 0) state.retries++;
    const answer = await post(options, template, attempt);
    if (answer === "retry") {
      await sleep(RETRY_AFTER_MS);
      continue;
    }
    const dropped = new Set(answer === "refused" ? ids : answer.dropped);
    for (const id of ids) (dropped.has(id) ? state.refused : state.acknowledgedIds).push(id);
    return attempt + 1;
  }
  state.unsettled += ids.length;
  return attempt;
}

type Answer = "retry" | "refused" | { readonly dropped: readonly string[] };

async function post(options: LedgerOptions, template: RequestTemplate, attempt: number): Promise<Answer> {
  try {
    const response = await fetch(`${options.url}${defaultPath(template.events)}`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${options.writeKey}:`).toString("base64")}`,
        "content-type": "application/json",
        ...(attempt > 0 ? { "x-retry-count": String(attempt) } : {}),
      },
      body: template.bytes.subarray(template.bodyStart),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    // A 200 with a truncated body must not count as an acknowledgement, so the whole body is read first.
    const body = (await response.json()) as { success?: boolean; dropped?: { messageId: string }[] };
    if (response.status === 200 && body.success === true) {
      return { dropped: (body.dropped ?? []).map(({ messageId }) => messageId) };
    }
    return response.status >= 500 || retriedStatuses.has(response.status) ? "retry" : "refused";
  } catch {
    return "retry";
  }
}
