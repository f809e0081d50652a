/** Keeps rows that the store rejects, and segment files that are damaged or cannot be read. */
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileDurably } from "../log/disk.ts";
import type { SealedSegment } from "../log/log.ts";

/** A row that the store rejected. Each one is kept in its own file. */
export interface QuarantinedRow {
  readonly quarantinedAt: string;
  /** The name of the row's block and the row's number in it, so the same row is never quarantined twice. */
  readonly id: string;
  /** The store's name for the fault, such as VIOLATED_CONSTRAINT. */
  readonly fault: string;
  /** The row as it would have been inserted. */
  readonly line: string;
}

export interface Quarantine {
  add(row: QuarantinedRow): void;
  /** Keeps a copy of a segment file that can be read only in part. */
  addDamaged(segment: SealedSegment): void;
  /** Moves a segment file that the disk can no longer read at all into the quarantine. */
  addUnreadable(segment: SealedSegment): void;
  /**
   * Returns the ranges of rows (`from-to`, from 0, `to` exclusive) of a block that were rejected as a whole
   * while it was being bisected.
   */
  rejectedRanges(segment: string): ReadonlySet<string>;
  /**
   * Records a rejected range. It is on disk once this returns, so it is never tried as a whole again, even
   * after a crash.
   */
  addRejectedRange(segment: string, range: string): void;
  forgetRanges(segment: string): void;
}

export function openQuarantine(dir: string): Quarantine {
  const rangesPath = (segment: string): string => join(dir, `${segment}.ranges`);
  const rejectedRanges = (segment: string): Set<string> =>
    new Set(existsSync(rangesPath(segment)) ? readFileSync(rangesPath(segment), "utf8").split("\n") : []);
  return {
    add: (row) => writeFileDurably(join(dir, `${row.id}.json`), `${JSON.stringify(row)}\n`),
    addDamaged: ({ name, path }) => writeFileDurably(join(dir, `${name}.damaged`), readFileSync(path)),
    addUnreadable: ({ name, path }) => {
      if (existsSync(path)) renameSync(path, join(dir, `${name}.unreadable`));
    },
    rejectedRanges,
    addRejectedRange: (segment, range) => {
      appendFileSync(rangesPath(segment), `${range}\n`, { mode: 0o600, flush: true });
    },
    forgetRanges: (segment) => rmSync(rangesPath(segment), { force: true }),
  };
}

/**
 * Lists the quarantined rows, those of the oldest segment file first. Also works while no collector runs, for
 * `candor doctor`.
 */
export function listQuarantined(dir: string): QuarantinedRow[] {
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir).filter((file) => file.endsWith(".json"));
  const rows = files.map((file): QuarantinedRow => JSON.parse(readFileSync(join(dir, file), "utf8")));
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}
