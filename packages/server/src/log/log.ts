/** Defines the durable log between requests and the store. */

/**
 * The durable log between requests and the store. Every implementation must pass the same contract tests
 * (log.contract.ts).
 *
 * The log is a sequence of segment files. Records are appended to the active segment file. A sealed segment
 * file never changes: it is one block of events for the store, and one of contacts if it has any. The insert
 * tokens are made from its name, and it is deleted once all its rows are stored or quarantined. So after a
 * crash at any moment, the remaining segment files are inserted again under the same tokens.
 */
export interface Log {
  /**
   * Resolves once the record, and everything appended before it, is on disk (fdatasync has returned).
   * Otherwise rejects with a CandorError (`disk_full`, `log_unwritable`, `overloaded`, `stopping`), and the
   * record will never be stored.
   * @param keys dedupe keys, two words per row
   * @param lines the rows, each ending in "\n"
   * @param contactLines contacts that were removed from the rows, each ending in "\n"; none if omitted
   */
  append(keys: Uint32Array, lines: string, contactLines?: string): Promise<void>;
  /**
   * Resolves once everything appended before is on disk. Rejects with the same error as the `append` that
   * failed.
   */
  flushed(): Promise<void>;
  /**
   * Returns the oldest sealed segment file, or waits for one. Returns the same one again until it is removed.
   * The active segment file is sealed when it is full, or when its first row has waited for `lingerMs`, or
   * for four times as long while rows arrive fast. After `close`, returns the segment files that remain, and
   * then undefined.
   */
  nextSealed(lingerMs: number): Promise<SealedSegment | undefined>;
  /** Deletes a segment file whose rows are safely stored elsewhere. */
  remove(segment: SealedSegment): Promise<void>;
  /**
   * Returns how much is waiting for the store, and when the oldest segment file with rows was opened (epoch
   * milliseconds; undefined if nothing is waiting).
   */
  pending(): { readonly rows: number; readonly bytes: number; readonly oldestMs: number | undefined };
  /** Flushes everything, then seals and closes the files. From now on, `append` rejects with `stopping`. */
  close(): Promise<void>;
}

export interface SealedSegment {
  /**
   * The insert token of the events; those of contacts and of parts of a block begin with it. Unique forever,
   * even across data folders.
   */
  readonly name: string;
  /** Path of the segment file; `readSegment` reads its rows back. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** When the segment file was opened, in epoch milliseconds. */
  readonly openedAtMs: number;
}

/** The disk operations that are injected, so that a test can make them fail or take long. */
export interface Disk {
  write(fd: number, buffers: readonly Buffer[], position: number): Promise<void>;
  flush(fd: number): Promise<void>;
  truncate(fd: number, bytes: number): Promise<void>;
}
