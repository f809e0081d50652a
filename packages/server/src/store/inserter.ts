/** Inserts segment files into the store, and quarantines rows that the store rejects. */
import { causeOf } from "../errors.ts";
import type { SealedSegment } from "../log/log.ts";
import { readSegment, type SegmentContent } from "../log/segment.ts";
import { CONTACT_TARGET, EVENT_TARGET, type LineTarget } from "../row.ts";
import { rowFaultOf, type Store } from "./client.ts";
import type { Quarantine } from "./quarantine.ts";

/** Inserts segment files into the store. */
export interface Inserter {
  /**
   * Resolves once every row of the segment file is in the store exactly once, or is quarantined, because the
   * store rejects it or the disk cannot read it. Rejects if the store cannot accept the segment file now.
   * Then call `insert` again with the same one.
   */
  insert(segment: SealedSegment): Promise<{ readonly rowsQuarantined: number }>;
  /** Deletes the record of rejected ranges of a segment file that was removed from the log. */
  forget(segment: SealedSegment): void;
  /** Makes the current insert and all later ones fail. */
  abort(): void;
  close(): Promise<void>;
}

/** Creates an inserter that runs in this thread. */
export function createInserter(store: Store, quarantine: Quarantine): Inserter {
  const aborting = new AbortController();
  let buffer = Buffer.alloc(0);
  return {
    insert: async (segment) => {
      if (buffer.length < segment.bytes) buffer = Buffer.allocUnsafe(segment.bytes);
      const read = tryRead(segment, buffer);
      if (read === undefined) {
        quarantine.addUnreadable(segment);
        return { rowsQuarantined: segment.rows };
      }
      if (read.damagedBytes > 0) quarantine.addDamaged(segment);
      let rowsQuarantined = 0;
      for (const block of blocksOf(segment, read)) {
        const insert: Insert = (part, token) => store.insertLines(block.target, part, token, aborting.signal);
        rowsQuarantined += await insertBlock(block, insert, quarantine);
      }
      return { rowsQuarantined };
    },
    forget: ({ name }) => {
      quarantine.forgetRanges(name);
      quarantine.forgetRanges(contactsName(name));
    },
    abort: () => aborting.abort(),
    close: () => store.close(),
  };
}

/**
 * Reads a segment file. Returns undefined if the disk cannot read it, because one bad sector must not block
 * everything after it. Any other fault, such as too many open files, is temporary. Such a fault is thrown,
 * and the segment file is retried.
 */
function tryRead(segment: SealedSegment, buffer: Buffer): SegmentContent | undefined {
  try {
    return readSegment(segment, buffer);
  } catch (error) {
    if (causeOf(error) === "EIO") return undefined;
    throw error;
  }
}

/** The lines that are inserted into one table with one token. */
interface Block {
  /** The block's insert token. */
  readonly name: string;
  readonly target: LineTarget;
  readonly lines: Buffer;
}

const contactsName = (segment: string): string => `${segment}-contacts`;

function blocksOf({ name }: SealedSegment, { lines, contactLines }: SegmentContent): Block[] {
  const blocks: Block[] = [
    { name: contactsName(name), target: CONTACT_TARGET, lines: contactLines },
    { name, target: EVENT_TARGET, lines },
  ];
  return blocks.filter((block) => block.lines.length > 0);
}

type Insert = (part: Buffer, token: string) => Promise<void>;

/**
 * Inserts a block under its name, and bisects it if the store rejects it, now or in an earlier attempt.
 * @returns the number of rows that were quarantined
 */
async function insertBlock(block: Block, insert: Insert, quarantine: Quarantine): Promise<number> {
  const { name, lines } = block;
  const rejected = quarantine.rejectedRanges(name);
  if (rejected.size === 0) {
    try {
      await insert(lines, name);
      return 0;
    } catch (error) {
      if (rowFaultOf(error) === undefined) throw error;
    }
  }
  return takeApart({ name, lines: splitLines(lines), rejected, insert, quarantine });
}

interface Bisection {
  readonly name: string;
  readonly lines: readonly Buffer[];
  readonly rejected: ReadonlySet<string>;
  readonly insert: Insert;
  readonly quarantine: Quarantine;
}

/**
 * Bisects a rejected block until each bad row is alone. Each range is inserted with its own token. A rejected
 * range is recorded on disk before its halves are tried, so that after a crash the same halves are sent with
 * the same tokens.
 */
async function takeApart(bisection: Bisection): Promise<number> {
  const { lines, name, quarantine } = bisection;
  let rowsQuarantined = 0;
  const ranges: [from: number, to: number][] = [[0, lines.length]];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const [from, to] = range;
    const fault = await rangeFault(bisection, from, to);
    if (fault === undefined) continue;
    const middle = Math.floor((from + to) / 2);
    if (to - from > 1) ranges.push([middle, to], [from, middle]);
    else {
      const line = lines[from]?.toString("utf8").replace(/\n$/, "") ?? "";
      quarantine.add({ quarantinedAt: new Date().toISOString(), id: `${name}-${from}`, fault, line });
      rowsQuarantined += 1;
    }
  }
  return rowsQuarantined;
}

/**
 * Inserts a range. Returns the store's name for the fault if the store rejects the range, `rejected before`
 * if it did so earlier, and undefined if the range is stored.
 */
async function rangeFault(
  { name, lines, rejected, insert, quarantine }: Bisection,
  from: number,
  to: number,
): Promise<string | undefined> {
  const range = `${from}-${to}`;
  if (rejected.has(range)) return "rejected before";
  try {
    await insert(Buffer.concat(lines.slice(from, to)), `${name}:${range}`);
    return undefined;
  } catch (error) {
    const fault = rowFaultOf(error);
    if (fault === undefined) throw error;
    if (to - from > 1) quarantine.addRejectedRange(name, range);
    return fault;
  }
}

function splitLines(lines: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < lines.length; ) {
    const end = lines.indexOf("\n", from) + 1 || lines.length;
    parts.push(lines.subarray(from, end));
    from = end;
  }
  return parts;
}
