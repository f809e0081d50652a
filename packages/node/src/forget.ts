/** Asks the collector to delete what it holds about this instance, then turns telemetry off. */
import { clearInterval, setInterval } from "node:timers";
import { isRecord } from "@candor/envelope/unknown-value";
import type { Core } from "./core.ts";
import type { Source } from "./scope.ts";
import { askCollector } from "./send/ask-collector.ts";
import { Lease } from "./state/lease.ts";

/**
 * The time limit is long, because the collector answers only once everything has been deleted from its disks.
 */
const FORGET_TIMEOUT_MS = 10 * 60_000;
/**
 * How many times to try to take the lease, and how long to wait in between: long enough for the batch that is
 * being sent to finish.
 */
const LEASE_WAIT = { tries: 60, betweenMs: 250 };
const RENEW_EVERY_MS = 5000;
const MAX_PLACES = 20;
const MAX_TEXT_LENGTH = 600;

/** The parts of the collector's deletion receipt that are shown. */
export interface DeletionReceipt {
  readonly instanceId: string;
  readonly requestedAt: string;
  readonly completedAt: string;
  readonly removed: readonly { readonly where: string; readonly rows: number }[];
  readonly notes: readonly string[];
}

export type Forgotten =
  | { readonly ok: true; readonly receipt: DeletionReceipt }
  /**
   * `not_on`: telemetry is off or in `log` mode, so there is no instance. `sending_now`: a send is in
   * progress, or the lease file cannot be used.
   */
  | { readonly ok: false; readonly fault: "not_on" | "sending_now" }
  /** The data was deleted, but the No could not be stored. */
  | { readonly ok: false; readonly fault: "answer_not_stored"; readonly receipt: DeletionReceipt }
  /** The collector did not confirm the deletion. Nothing was erased here. */
  | { readonly ok: false; readonly fault: "not_confirmed"; readonly cause: string };

/**
 * Asks the collector to delete what it holds about this instance, and stores the No once the deletion is
 * confirmed. Holds the lease meanwhile, so that no other process sends. Keeps the key until then, because
 * only the key proves which events belong to this instance. Never rejects.
 */
export async function forgetThenTurnOff(core: Core, sources: readonly Source[]): Promise<Forgotten> {
  const { session } = core;
  if (session === undefined || session.isPrinting) return { ok: false, fault: "not_on" };
  const { settings, clock, folder } = core;
  const lease = new Lease({ path: folder.lease, now: clock.now });
  try {
    if (!(await takeSoon(lease, core))) return { ok: false, fault: "sending_now" };
    const renewing = setInterval(() => renew(lease), RENEW_EVERY_MS).unref();
    const reply = await askCollector({
      http: session.http,
      host: settings.host,
      instance: session.instance,
      action: "forget",
      timeoutMs: FORGET_TIMEOUT_MS,
      now: clock.now,
    }).finally(() => clearInterval(renewing));
    const receipt = reply.ok ? readReceipt(reply.answer, session.instance.instanceId) : undefined;
    if (receipt === undefined)
      return { ok: false, fault: "not_confirmed", cause: reply.ok ? "no_collector" : reply.fault };
    if (core.answer(sources, "no", "inspector")) return { ok: true, receipt };
    return { ok: false, fault: "answer_not_stored", receipt };
  } catch {
    return { ok: false, fault: "sending_now" }; // the lease file cannot be used
  } finally {
    lease.release();
  }
}

/**
 * Tries for about 15 seconds to take the lease.
 * @returns false if another process, or this one, is still sending
 * @throws a file system error
 */
async function takeSoon(lease: Lease, { clock }: Core): Promise<boolean> {
  for (let tries = 0; tries < LEASE_WAIT.tries; tries += 1) {
    if (await lease.take()) return true;
    await new Promise<void>((resolve) => clock.later(LEASE_WAIT.betweenMs, resolve));
  }
  return false;
}

function renew(lease: Lease): void {
  try {
    lease.renew();
  } catch {
    // If the lease is lost, another process may send meanwhile. The collector's receipt says up to which time
    // it has deleted messages.
  }
}

/**
 * Reads a deletion receipt, without malformed or excessive parts; undefined if the answer is not a receipt
 * for this instance.
 */
function readReceipt(
  { forgotten, requestedAt, completedAt, removed, notes }: { readonly [field: string]: unknown },
  instanceId: string,
): DeletionReceipt | undefined {
  if (!isRecord(forgotten) || forgotten.instance !== instanceId) return undefined;
  if (typeof requestedAt !== "string" || typeof completedAt !== "string") return undefined;
  const places = Array.isArray(removed) ? removed.slice(0, MAX_PLACES) : [];
  const sentences = Array.isArray(notes) ? notes.slice(0, MAX_PLACES) : [];
  return {
    instanceId,
    requestedAt: toText(requestedAt),
    completedAt: toText(completedAt),
    removed: places.flatMap((place: unknown) => {
      if (!isRecord(place) || typeof place.rows !== "number") return [];
      return [{ where: toText(place.where), rows: place.rows }];
    }),
    notes: sentences.map(toText),
  };
}

function toText(value: unknown): string {
  return String(value).slice(0, MAX_TEXT_LENGTH);
}
