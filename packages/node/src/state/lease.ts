/**
 * Owns a lease: it decides which of the processes sharing a state folder sends messages, or sends heartbeats.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "@candor/envelope/unknown-value";
import { readObject, removeFile, replaceFile } from "./state-folder.ts";

/** How long a renewal is valid. If the holder is killed, another process takes over after this time. */
const LEASE_MS = 30_000;
const RENEW_AFTER_MS = LEASE_MS / 3;
/**
 * If two processes take over an abandoned lease at the same time, both replace the file. After this pause,
 * the process that wrote last holds the lease.
 */
const SETTLE_MS = 100;

export interface LeaseOptions {
  /** The path of the lease file. */
  readonly path: string;
  readonly now: () => number;
}

/**
 * A lease on sending messages, or on sending heartbeats. It only saves work and avoids duplicate heartbeats.
 * Two holders for a moment are not a fault: the collector recognises messages that both send.
 */
export class Lease {
  readonly #path: string;
  readonly #now: () => number;
  readonly #holder = randomBytes(8).toString("hex");
  #renewedAtMs: number | undefined;

  constructor({ path, now }: LeaseOptions) {
    this.#path = path;
    this.#now = now;
  }

  /** Tries to take the lease. Returns true if this process now holds it. @throws a file system error */
  async take(): Promise<boolean> {
    if (this.#create()) return true;
    const found = readLease(this.#path);
    if (found !== undefined && found.holder === this.#holder) return this.renew();
    if (found !== undefined && !this.#isOver(found.untilMs)) return false;
    this.#write(replaceFile);
    await sleep(SETTLE_MS, undefined, { ref: false });
    return this.#isMine();
  }

  /**
   * Renews the lease if the last renewal is at least `RENEW_AFTER_MS` old. Returns false if it then turns out
   * that another process has taken it, or that its file is gone.
   * @throws a file system error
   */
  renew(): boolean {
    const nowMs = this.#now();
    const renewedAtMs = this.#renewedAtMs ?? Number.NEGATIVE_INFINITY;
    if (nowMs >= renewedAtMs && nowMs < renewedAtMs + RENEW_AFTER_MS) return true;
    if (!this.#isMine()) {
      this.#renewedAtMs = undefined;
      return false;
    }
    this.#write(replaceFile);
    return true;
  }

  /** Releases the lease if this process holds it. Never throws. */
  release(): void {
    if (this.#renewedAtMs === undefined) return;
    this.#renewedAtMs = undefined;
    if (this.#isMine()) removeFile(this.#path);
  }

  #create(): boolean {
    try {
      this.#write((path, text) => writeFileSync(path, text, { mode: 0o600, flag: "wx" }));
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  /**
   * Whether a lease has ended. A lease that ends later than any valid lease was written under a different
   * clock.
   */
  #isOver(untilMs: number): boolean {
    const nowMs = this.#now();
    return untilMs <= nowMs || untilMs > nowMs + LEASE_MS;
  }

  #isMine(): boolean {
    return readLease(this.#path)?.holder === this.#holder;
  }

  #write(write: (path: string, text: string) => void): void {
    const nowMs = this.#now();
    write(this.#path, `${JSON.stringify({ holder: this.#holder, untilMs: nowMs + LEASE_MS })}\n`);
    this.#renewedAtMs = nowMs;
  }
}

function readLease(path: string): { readonly holder: string; readonly untilMs: number } | undefined {
  const stored = readObject(path);
  const { holder, untilMs } = stored ?? {};
  return typeof holder === "string" && typeof untilMs === "number" ? { holder, untilMs } : undefined;
}
