/** Decides which of several processes on one state folder sends. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "@candor/envelope/unknown-value";
import { readObject, removeFile, replaceFile } from "./state-folder.ts";

/** How long one renewal is valid. If the holder is killed, another process takes over after this. */
const LEASE_MS = 30_000;
const RENEW_AFTER_MS = LEASE_MS / 3;
/**
 * If two processes take over an abandoned lease at once, both replace the file: after this pause the last one holds
 * it.
 */
const SETTLE_MS = 100;

export interface LeaseOptions {
  /** The file. */
  readonly path: string;
  readonly now: () => number;
}

/**
 * Decides which of several processes on one state folder sends. Duplicates do no harm (the collector knows
 * messageIds), so a lease that is briefly wrong is not a fault; it only saves work and keeps heartbeats single.
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

  /** Returns true if this process holds it now. @throws a file system error */
  async take(): Promise<boolean> {
    if (this.#create()) return true;
    const found = readLease(this.#path);
    if (found !== undefined && found.holder === this.#holder) return this.renew();
    if (found !== undefined && !this.#isOver(found.untilMs)) return false;
    this.#write(replaceFile);
    await sleep(SETTLE_MS, undefined, { ref: false });
    return this.#isMine();
  }

  /** Renews it. False if another process has it by now. @throws a file system error */
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

  /** Releases it if this process holds it. Never throws. */
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

  /** One that ends later than any lease can was made under another clock. */
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
