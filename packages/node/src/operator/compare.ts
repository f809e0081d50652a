/**
 * Runs the command `compare`: asks the collector for an instance's events, and compares them with the outbox.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Fields, toFields } from "@candor/envelope/unknown-value";
import { isOfInstance, type Plan, usualInstanceIds } from "@candor/plan/runtime";
import { listOutboxFiles } from "../outbox/outbox-file.ts";
import { readOutboxPage } from "../outbox/outbox-page.ts";
import { MAX_AGE_MS } from "../send/sweep.ts";
import type { Instance } from "../state/instance.ts";
import { readKeptPlan, type StateFolder } from "../state/state-folder.ts";
import { Refused, toShown } from "./collector.ts";
import {
  type Comparison,
  compareMessages,
  isInOrder,
  type OwnMessage,
  renderComparison,
} from "./comparison.ts";
import { type AskOptions, askAsInstance, asOwnInstance, type OwnInstance } from "./own-instance.ts";
import { coloursFor, endWithReader, print, report, toSafeJson } from "./terminal.ts";

/** Maximum number of events that the collector returns in one page. */
const PAGE_EVENTS = 1000;
/** Messages that were sent a moment ago may still be in the collector's log, so the command asks again. */
const WAIT = { tries: 10, betweenMs: 1000 };
/** How long to wait if the collector's rate limit is exceeded. */
const TURN_MS = 2000;
const MAX_TURNS = 60;

/** The time limit for one page. */
const PAGE_TIMEOUT_MS = 30_000;

/**
 * Compares an instance's outbox with the collector, and prints the result. Returns 0 if it is in order (see
 * `isInOrder`), 1 if it is not, and 2 if the collector could not be asked or refused, or if the folder cannot
 * be read or has no instance to ask as.
 */
export async function compare(folder: string, { url: given, json = false }: AskOptions): Promise<number> {
  endWithReader();
  return asOwnInstance(folder, given, async (own) => {
    const { comparison, ...asked } = await compareWith(own);
    const about = { instanceId: own.instance.instanceId, collector: toShown(own.url), ...asked };
    await print(
      json
        ? `${toSafeJson(JSON.stringify({ ...about, ...comparison }))}\n`
        : renderComparison(comparison, about, coloursFor(process.stdout)),
    );
    return isInOrder(comparison) ? 0 : 1;
  });
}

interface Compared {
  readonly comparison: Comparison;
  /**
   * Number of sent messages that lack this instance's id, so that the collector cannot attribute them to it.
   */
  readonly notAsked: number;
  /**
   * Up to when the collector's store is complete, by its own clock. Events received later may still be in its
   * log.
   */
  readonly storedUntil: string | undefined;
}

/**
 * Asks the collector first, then reads the outbox once. While something is missing, asks the collector again,
 * and adds only events whose messages were in that outbox: the product keeps sending, so the collector may
 * hold newer messages by then.
 */
async function compareWith({ url, instance, folder }: OwnInstance): Promise<Compared> {
  const first = await askPages(url, instance, undefined);
  const held = new Map(first.held);
  const { own, notAsked } = await readOwn(folder, instance.instanceId);
  const oldestMs = await oldestOf(folder.outbox);
  let { cursor, storedUntil } = first;
  for (let turn = 1; ; turn += 1) {
    const comparison = compareMessages(own, held, oldestMs);
    const missing = comparison.missingThere.length;
    if (missing === 0 || turn > WAIT.tries) return { comparison, notAsked, storedUntil };
    if (turn === 1) report(`Not there yet: ${missing}. What was just sent takes a moment; asking again.`);
    await sleep(WAIT.betweenMs);
    // The last attempt starts from the beginning: in a collector with several machines, events that arrived
    // late may precede the cursor.
    const again = await askPages(url, instance, turn === WAIT.tries ? undefined : cursor);
    for (const [messageId, envelope] of again.held) if (own.has(messageId)) held.set(messageId, envelope);
    ({ cursor, storedUntil } = again);
  }
}

/**
 * The time before which messages may be missing from the outbox: older ones were deleted after seven days, or
 * because the outbox was full.
 */
async function oldestOf(outbox: string): Promise<number> {
  const begunAtMs = (await listOutboxFiles(outbox)).map((file) => file.begunAtMs);
  return Math.max(Math.min(...begunAtMs), Date.now() - MAX_AGE_MS);
}

interface Pages {
  readonly held: ReadonlyMap<string, Fields>;
  /** The cursor of the last page, for requesting newer events. */
  readonly cursor: string | undefined;
  /** The `storedUntil` of the first page, see `Compared`. */
  readonly storedUntil: string | undefined;
}

/** Requests all pages after a cursor. */
async function askPages(url: string, instance: Instance, from: string | undefined): Promise<Pages> {
  const held = new Map<string, Fields>();
  let storedUntil: string | undefined;
  for (let cursor = from; ; ) {
    const { events, next, storedUntil: until } = await askPage(url, instance, cursor);
    if (typeof until === "string") storedUntil ??= until;
    for (const event of Array.isArray(events) ? events : []) {
      const envelope = toFields(event);
      if (typeof envelope?.messageId === "string") held.set(envelope.messageId, envelope);
    }
    if (typeof next !== "string") return { held, cursor, storedUntil };
    cursor = next;
  }
}

async function askPage(url: string, instance: Instance, cursor: string | undefined): Promise<Fields> {
  for (let turn = 1; ; turn += 1) {
    const more = { limit: PAGE_EVENTS, ...(cursor === undefined ? {} : { cursor }) };
    try {
      return await askAsInstance(url, instance, { action: "compare", more, timeoutMs: PAGE_TIMEOUT_MS });
    } catch (error) {
      const isBusy = error instanceof Refused && error.code === "too_many_requests";
      if (!isBusy || turn === MAX_TURNS) throw error;
      await sleep(TURN_MS);
    }
  }
}

/**
 * Reads the messages of the outbox that the collector attributes to this instance, because they contain its
 * id at a path that the plan names. The collector cannot attribute messages without the id, such as most
 * messages of browsers.
 */
async function readOwn(
  { outbox, plan }: StateFolder,
  instanceId: string,
): Promise<{ own: ReadonlyMap<string, OwnMessage>; notAsked: number }> {
  const own = new Map<string, OwnMessage>();
  const sources: Plan["sources"] = readKeptPlan(plan)?.plan.sources ?? {};
  let notAsked = 0;
  for (let before: string | undefined; ; ) {
    const page = await readOutboxPage(outbox, { limit: PAGE_EVENTS, before });
    for (const { state, source, message } of page?.messages ?? []) {
      const fields = toFields(message);
      const places = sources[source] ?? { instanceIds: usualInstanceIds(source) };
      const isAsked = typeof fields?.messageId === "string" && isOfInstance(places, fields, instanceId);
      if (isAsked) own.set(String(fields.messageId), { state, message: fields });
      else if (state === "sent") notAsked += 1;
    }
    if (page?.next === undefined) return { own, notAsked };
    before = page.next;
  }
}
