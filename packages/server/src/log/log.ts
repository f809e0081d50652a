/** Defines the durable log between a request and the store. */
/**
 * The durable log between a request and the store. Every implementation passes one contract suite (log.contract.ts).
 *
 * It is a sequence of segments. Records are appended to the active one. A sealed segment never changes: it is exactly
 * one block for the store, inserted under the segment's name as its token and unlinked once the store has
 * acknowledged it. So a crash at any moment leaves whole segments to be inserted again under the same names.
 */
export interface Log {
  /**
   * Resolves once the record, and everything appended before it, is on disk (fdatasync has returned). Rejects with a
   * CandorError (`disk_full`, `log_unwritable`, `overloaded`) if it is not, and will never be stored.
   * @param keys dedupe keys, two words a row
   * @param lines the rows, each ending in "\n"
   * @param contactLines contacts that were taken out of them, each ending in "\n"; none if omitted
   */
  append(keys: Uint32Array, lines: string, contactLines?: string): Promise<void>;
  /** Resolves once everything appended before is on disk; rejects as its `append` did. */
  flushed(): Promise<void>;
  /**
   * The oldest sealed segment. Waits for one: the active segment is sealed when its first row has waited for
   * `lingerMs`, or for four times that while rows arrive fast. Undefined after `close`.
   */
  nextSealed(lingerMs: number): Promise<SealedSegment | undefined>;
  /** Deletes a segment whose rows are safe elsewhere. */
  remove(segment: SealedSegment): Promise<void>;
  /** What waits for the store. */
  pending(): { readonly rows: number; readonly bytes: number; readonly oldestMs: number | undefined };
  /** Flushes, seals, and closes the files. `append` rejects from then on. */
  close(): Promise<void>;
}

export interface SealedSegment {
  /** Unique for ever, even across data folders: the store's insert token. */
  readonly name: string;
  /** Its file; `readSegment` reads the rows back. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** Epoch milliseconds of its first record. */
  readonly openedAtMs: number;
}

/** The three calls on which durability depends, passed in so that a test can make them fail. */
export interface Disk {
  write(fd: number, buffers: readonly Buffer[], position: number): Promise<void>;
  flush(fd: number): Promise<void>;
  truncate(fd: number, bytes: number): Promise<void>;
}
