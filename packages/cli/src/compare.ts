import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Instance,
  listOutboxFiles,
  MAX_AGE_MS,
  openStateFolder,
  readInstance,
  readOutboxPage,
  signRequest,
} from "@candor/node/state-folder";
import { toReachable, toShown } from "./address.ts";
import { askAsInstance, explainRefusal, Refused } from "./collector.ts";
import { type Comparison, compareMessages, isInOrder, type OwnMessage } from "./compare-messages.ts";
import { renderComparison } from "./compare-text.ts";
import { readSettings } from "./environment.ts";
import { explainNoFolder } from "./inspect-folder.ts";
import { type Fields, toFields } from "./live-message.ts";
import { toSafeJson, toSafeText } from "./safe-text.ts";
import { coloursFor, endWithReader, print, toFaultText } from "./terminal.ts";

/** The most that the collector answers at once. */
const PAGE_EVENTS = 1000;
/** What was sent a moment ago may wait in the collector's log. */
const WAIT = { tries: 10, betweenMs: 1000 };
/** The collector lets so many pages through and then one a second. */
const TURN_MS = 2000;
const MAX_TURNS = 60;

export interface CompareOptions {
  /** Where the collector is; CANDOR_URL when not given. */
  readonly url?: string;
  readonly json?: boolean;
}

/**
 * `candor compare`: whether the collector holds of this instance what was sent, and nothing else: 0. 1: something is
 * missing or differs. 2: it could not be asked.
 */
export async function compare(folder: string, { url: given, json = false }: CompareOptions): Promise<number> {
  endWithReader();
  const dir = resolve(folder);
  const state = openStateFolder(dir);
  const fault = explainNoFolder(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  const instance = readInstance(state.instance);
  if (instance === undefined)
    return refuse(
      toSafeText(
        `${dir} holds no instance, so there is nobody to ask as. What an installer sent from there carries no instance's id: it cannot be compared.`,
      ),
    );
  let url = "";
  try {
    const found = toCollector(given);
    if (found === undefined)
      return refuse("Give the collector's URL, such as --url https://telemetry.example.org.");
    url = found;
    const { comparison, notAsked } = await compareWith(url, instance, state.outbox);
    const about = { instanceId: instance.instanceId, collector: toShown(url), notAsked };
    await print(
      json
        ? `${toSafeJson(JSON.stringify({ ...about, ...comparison }))}\n`
        : renderComparison(comparison, about, coloursFor(process.stdout)),
    );
    return isInOrder(comparison) ? 0 : 1;
  } catch (error) {
    return refuse(error instanceof Refused ? explainRefusal(error, url) : toFaultText(error));
  }
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}

/** Undefined: what was given is no URL. @throws CandorError `settings_invalid` */
function toCollector(given: string | undefined): string | undefined {
  if (given === undefined) return toReachable(readSettings().url);
  return URL.canParse(given) && /^https?:$/.test(new URL(given).protocol) ? toReachable(given) : undefined;
}

/** The collector is asked first, and the outbox read then: what is sent meanwhile is looked for once more. */
async function compareWith(
  url: string,
  instance: Instance,
  outbox: string,
): Promise<{ comparison: Comparison; notAsked: number }> {
  const held = new Map<string, Fields>();
  let cursor = await askPages(url, instance, undefined, held);
  const { own, notAsked } = await readOwn(outbox, instance.instanceId);
  const oldestMs = await oldestOf(outbox);
  for (let turn = 1; ; turn += 1) {
    const comparison = compareMessages(own, held, oldestMs);
    if (comparison.missingThere.length === 0 || turn > WAIT.tries) return { comparison, notAsked };
    await sleep(WAIT.betweenMs);
    cursor = await askPages(url, instance, cursor, held);
  }
}

/** What happened before that was deleted after seven days, or because the outbox was full. */
async function oldestOf(outbox: string): Promise<number> {
  const begunAtMs = (await listOutboxFiles(outbox)).map((file) => file.begunAtMs);
  return Math.max(Math.min(...begunAtMs), Date.now() - MAX_AGE_MS);
}

/** Asks for all pages from a cursor on. @returns the last page's cursor, from which new events can be asked for */
async function askPages(
  url: string,
  instance: Instance,
  from: string | undefined,
  held: Map<string, Fields>,
): Promise<string | undefined> {
  for (let cursor = from; ; ) {
    const { events, next } = await askPage(url, instance, cursor);
    for (const event of Array.isArray(events) ? events : []) {
      const envelope = toFields(event);
      if (typeof envelope?.messageId === "string") held.set(envelope.messageId, envelope);
    }
    if (typeof next !== "string") return cursor;
    cursor = next;
  }
}

async function askPage(url: string, instance: Instance, cursor: string | undefined): Promise<Fields> {
  for (let turn = 1; ; turn += 1) {
    const more = { limit: PAGE_EVENTS, ...(cursor === undefined ? {} : { cursor }) };
    try {
      return await askAsInstance(url, "compare", signRequest(instance, "compare", Date.now(), more));
    } catch (error) {
      const isBusy = error instanceof Refused && error.code === "too_many_requests";
      if (!isBusy || turn === MAX_TURNS) throw error;
      await sleep(TURN_MS);
    }
  }
}

/**
 * The messages of the outbox that the collector knows as this instance's: its id stands in them. Of the others, such as a
 * browser's, it cannot say whose they are.
 */
async function readOwn(
  outbox: string,
  instanceId: string,
): Promise<{ own: ReadonlyMap<string, OwnMessage>; notAsked: number }> {
  const own = new Map<string, OwnMessage>();
  let notAsked = 0;
  for (let before: string | undefined; ; ) {
    const page = await readOutboxPage(outbox, { limit: PAGE_EVENTS, before });
    for (const { state, message } of page?.messages ?? []) {
      const fields = toFields(message);
      const isAsked = typeof fields?.messageId === "string" && isOfInstance(fields, instanceId);
      if (isAsked) own.set(String(fields.messageId), { state, message: fields });
      else if (state === "sent") notAsked += 1;
    }
    if (page?.next === undefined) return { own, notAsked };
    before = page.next;
  }
}

function isOfInstance(fields: Fields, instanceId: string): boolean {
  const { userId, anonymousId, properties, traits, context } = fields;
  const named = [properties, traits, context].map((part) => toFields(part)?.instanceId);
  return [userId, anonymousId, ...named].includes(instanceId);
}
