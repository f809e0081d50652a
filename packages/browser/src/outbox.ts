/**
 * Holds undelivered messages, first in memory, then in browser storage, and sends them. Any tab can send
 * those in storage.
 */
import type { Gate } from "./gate.ts";
import { openSender } from "./sender.ts";
import { randomHex, type Store } from "./storage.ts";

export interface Outbox {
  /**
   * Adds a message, to be sent about a second later, or at once if a batch is full. Drops a message that is
   * larger than MAX_BATCH_BYTES.
   */
  readonly add: (message: object) => void;
  /**
   * Moves the messages from memory to storage, then sends all stored messages, including those of other tabs,
   * until an attempt fails or the verdict is no longer yes.
   */
  readonly flush: () => Promise<void>;
  /** Called when the page may be closed: hands what it can to the browser to send, and stores the rest. */
  readonly leave: () => void;
  /** Drops the messages in memory. The gate deletes those in storage. */
  readonly clear: () => void;
}

const FLUSH_AFTER_MS = 1000;
/**
 * The maximum size of one request's messages. Two requests then fit into the 64 KiB that a page may send
 * after it is closed.
 */
const MAX_BATCH_BYTES = 31_800;
/** The maximum size of all waiting messages together. In storage, characters are counted instead of bytes. */
const MAX_STORED_BYTES = 100_000;
/** Seven days, because the collector recognises a repeated message for 8 days. */
const MAX_AGE_MS = 604_800_000;
const LEASE = "lease";
const LEASE_MS = 30_000;

/**
 * Opens the outbox of this page.
 * @param url where batches are posted
 * @param onDenied called after a flush if the verdict is not yes
 */
export function openOutbox(
  url: string,
  writeKey: string,
  store: Store,
  gate: Gate,
  onDenied: () => void,
): Outbox {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The storage key of the batch that is being sent by a request that can outlive the page. */
  let flying: string | undefined;
  const sender = openSender(url, writeKey, gate);

  const clear = (): void => {
    waiting = [];
    waitingBytes = 0;
    clearTimeout(timer);
    timer = undefined;
  };
  const keep = (): void => {
    makeRoom(store, waitingBytes);
    if (waiting.length === 0) return;
    const batch = waiting.join();
    clear();
    if (!store.set(`q${Date.now()}${randomHex(8)}`, batch)) void sender.post(batch); // not stored, so not retried
  };
  const later = (afterMs: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush();
    }, afterMs);
  };
  const drain = async (): Promise<void> => {
    for (const key of batchesIn(store)) {
      if (gate.verdict() !== "yes" || sender.waitMs() > 0) break;
      if (sender.canOutlive()) flying = key;
      if (!(await sender.post(store.get(key)))) break;
      store.remove(key);
    }
    flying = undefined;
  };
  const flush = async (): Promise<void> => {
    keep();
    await gate.ask();
    await alone(url, store, drain);
    if (gate.verdict() !== "yes") onDenied();
    else if (batchesIn(store).length > 0) later(Math.max(FLUSH_AFTER_MS, sender.waitMs()));
  };
  return {
    add: (message) => {
      const text = JSON.stringify(message);
      const bytes = new Blob([text]).size + 1;
      if (bytes > MAX_BATCH_BYTES) return;
      if (waitingBytes + bytes > MAX_BATCH_BYTES) void flush();
      waiting.push(text);
      waitingBytes += bytes;
      later(FLUSH_AFTER_MS);
    },
    flush,
    leave: () => {
      keep();
      // A request that outlives the page has an unknown result, so none is made while requests are failing.
      if (gate.verdict() !== "yes" || sender.waitMs() > 0) return;
      for (const key of batchesIn(store))
        if (key !== flying && sender.handOver(store.get(key))) store.remove(key);
    },
    clear,
  };
}

/** The storage keys of all batches, oldest first. */
function batchesIn(store: Store): string[] {
  return store.keys().filter((key) => key.startsWith("q"));
}

/** Deletes batches that are too old, and the oldest batches if there is not enough room for `bytes` more. */
function makeRoom(store: Store, bytes: number): void {
  let sum = bytes;
  for (const key of batchesIn(store).reverse()) {
    sum += store.get(key)?.length ?? 0;
    if (sum > MAX_STORED_BYTES || Date.now() - Number(key.slice(1, 14)) > MAX_AGE_MS) store.remove(key);
  }
}

/**
 * Runs the task in only one tab of this product at a time. The other tabs wait for the lock; in a browser
 * without locks, they skip the task while another tab has the lease.
 */
async function alone(name: string, store: Store, task: () => Promise<void>): Promise<void> {
  if ("locks" in navigator) return navigator.locks.request(name, task);
  if (Number(store.get(LEASE) ?? 0) > Date.now()) return;
  store.set(LEASE, `${Date.now() + LEASE_MS}`);
  await task();
  store.remove(LEASE);
}
