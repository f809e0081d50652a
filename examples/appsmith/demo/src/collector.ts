/**
 * Asks the collector whether it is ready and what it stores, and sends batches to it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "@candor/envelope/unknown-value";
import type { Keys } from "@candor/server";

const ASK_AGAIN_MS = 200;
/** How long the demo keeps trying before it gives up on the collector. */
export const PATIENCE_MS = 60_000;
const ANSWER_WITHIN_MS = 15_000;

/** An error whose message says what is wrong or what to do. It is shown without a stack trace. */
export class DemoFault extends Error {}

export interface Collector {
  readonly url: string;
  readonly keys: Keys;
}

/** Resolves once the collector accepts messages. @throws DemoFault if that takes longer than `withinMs` */
export async function awaitReady({ url }: Pick<Collector, "url">, withinMs: number): Promise<void> {
  for (const giveUpAtMs = Date.now() + withinMs; ; await sleep(ASK_AGAIN_MS)) {
    const response = await fetch(`${url}/readyz`, withTimeout()).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    if (Date.now() >= giveUpAtMs)
      throw new DemoFault(
        `No Candor is ready at ${url}. Start one in another terminal with \`npm start\`, or both with \`npm start -- --demo\`. If it is elsewhere, set CANDOR_URL.`,
      );
  }
}

/**
 * Asks the read API. Retries for up to PATIENCE_MS, because the store may be unavailable.
 * @throws DemoFault after that, or at once if the collector does not accept the token
 */
export async function readApi({ url, keys }: Collector, question: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${keys.adminToken}` };
  for (const giveUpAtMs = Date.now() + PATIENCE_MS; ; ) {
    const response = await fetch(`${url}/api/${question}`, { headers, ...withTimeout() }).catch(
      () => undefined,
    );
    if (response?.ok === true) return response.json();
    await response?.body?.cancel();
    if (response?.status === 401)
      throw new DemoFault(
        `The Candor at ${url} does not accept this token. Set CANDOR_ADMIN_TOKEN to its token, or CANDOR_DATA_DIR to its data folder.`,
      );
    if (Date.now() >= giveUpAtMs) throw new DemoFault(`The Candor at ${url} does not answer questions.`);
    await sleep(retryAfterMsOf(response) ?? ASK_AGAIN_MS);
  }
}

/**
 * The number of stored messages that match a query such as `event=Instance%20Active`. Default: of all
 * messages.
 */
export async function countStored(collector: Collector, query = ""): Promise<number> {
  const answer = await readApi(collector, `count?${query}`);
  if (isRecord(answer) && "count" in answer) return Number(answer.count);
  throw new DemoFault(`The Candor at ${collector.url} does not count.`);
}

/**
 * Resolves to the number of stored messages once it is at least `atLeast`, or has not grown for PATIENCE_MS.
 */
export async function awaitStored(collector: Collector, atLeast: number): Promise<number> {
  let seen = 0;
  for (let giveUpAtMs = Date.now() + PATIENCE_MS; ; await sleep(ASK_AGAIN_MS)) {
    const count = await countStored(collector);
    if (count >= atLeast || Date.now() >= giveUpAtMs) return count;
    if (count > seen) giveUpAtMs = Date.now() + PATIENCE_MS;
    seen = count;
  }
}

/**
 * Sends a batch, and retries after statuses that allow a retry. Resolves to the drop reasons of the messages
 * that were not kept.
 * @throws DemoFault if the collector rejects the batch, or has not accepted it after PATIENCE_MS
 */
export async function postBatch(url: string, body: string): Promise<readonly string[]> {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  for (let retries = 0; ; retries += 1) {
    const headers = { "Content-Type": "application/json", "X-Retry-Count": String(retries) };
    const request = { method: "POST", headers, body, ...withTimeout() };
    const response = await fetch(url, request).catch(() => undefined);
    if (response?.ok === true) return reasonsIn(await response.json());
    const status = response?.status ?? 0;
    await response?.body?.cancel();
    const isForNow = status === 0 || status >= 500 || [408, 410, 429, 460].includes(status);
    if (!isForNow) throw new DemoFault(`The collector rejected a batch with status ${status}.`);
    if (Date.now() >= giveUpAtMs) throw new DemoFault("The collector does not accept messages any more.");
    await sleep(retryAfterMsOf(response) ?? ASK_AGAIN_MS);
  }
}

function reasonsIn(answer: unknown): readonly string[] {
  const { dropped } = isRecord(answer) ? answer : {};
  return Array.isArray(dropped)
    ? dropped.map(({ reason }: { readonly reason?: unknown }) => String(reason))
    : [];
}

function retryAfterMsOf(response: Response | undefined): number | undefined {
  const seconds = Number(response?.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, PATIENCE_MS) : undefined;
}

function withTimeout(): { readonly signal: AbortSignal; readonly redirect: "manual" } {
  return { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: "manual" };
}
