/** Remembers the messages of the last 8 days, to recognise duplicates. */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder, disk as realDisk, writeFileDurably } from "./disk.ts";
import { type KeyFile, openKeyFile, writeKeyFile } from "./key-file.ts";
import { KeyFilter } from "./key-filter.ts";
import type { KeySeed } from "./key-hash.ts";
import { KeySet } from "./key-set.ts";
import type { Disk } from "./log.ts";
import { frameRecord, scanKeys } from "./record.ts";
import { openRunningHours, type RunningHours } from "./running-hours.ts";

/**
 * Longer than any client retries: Segment's official clients do so for 12 hours, Candor's outboxes for 7
 * days.
 */
const WINDOW_HOURS = 8 * 24;
/**
 * A journal becomes a sorted file at the end of its hour, or when it has this many keys, which take about 5
 * ms to sort.
 */
const JOURNAL_KEYS = 1 << 16;

const JOURNAL = /^(\d+)\.journal$/;
const KEY_FILE = /^(\d+)-(\d+)\.keys$/;

export interface DedupeOptions {
  /** Folder of the key files; must exist. */
  readonly dir: string;
  /**
   * How long this process has run, in milliseconds, by a clock that nobody can set. Default:
   * `performance.now`.
   */
  readonly runningMs?: () => number;
  /** Default: the real disk. */
  readonly disk?: Disk;
  readonly random?: (bytes: number) => Buffer;
  /** Called with the path of a key file that can no longer be read. The keys in that file are forgotten. */
  readonly onDamaged?: (path: string) => void;
}

/**
 * Remembers the key of every message of at least the last 8 days, even across crashes.
 *
 * Only the time that the collector runs counts towards the 8 days. A machine's clock can be days off and can
 * be set back: if files expired by that clock, a retried message could be stored twice. While the collector
 * is off no key arrives, so remembering keys for longer costs nothing.
 *
 * A key is held in memory while its row's segment file is open (from which it is recovered after a crash) and
 * while it is in the journal. After that, it is in a sorted file behind a filter. Key files contain nothing
 * but hashes. Each key file is deleted whole some time after its hour leaves the window.
 */
export class Dedupe {
  readonly seed: KeySeed;
  readonly #options: DedupeOptions;
  readonly #hours: RunningHours;
  /** The keys of open segment files and of the journal. */
  readonly #unsorted = new KeySet();
  #journal: Journal | undefined;
  #files: KeyFile[];
  #lastNumber: number;
  #filter = new KeyFilter(0);
  /** Serialises calls of `keep`. */
  #keeping: Promise<void> = Promise.resolve();

  private constructor(
    options: DedupeOptions,
    hours: RunningHours,
    { files, lastNumber }: { files: KeyFile[]; lastNumber: number },
  ) {
    this.#options = options;
    this.#hours = hours;
    this.seed = loadSeed(options);
    this.#files = files;
    this.#lastNumber = lastNumber;
  }

  static async open(options: DedupeOptions): Promise<Dedupe> {
    const hours = await openRunningHours(options.dir, options.runningMs);
    const dedupe = new Dedupe(options, hours, await openKeyFiles(options));
    await dedupe.#sortLeftJournals();
    await dedupe.#dropExpired();
    await dedupe.#rebuildFilter(dedupe.#files.reduce((sum, file) => sum + file.count, 0));
    return dedupe;
  }

  /** Adds the key at `index` (two words). Returns false if the key was already known. */
  add(keys: Uint32Array, index: number): boolean {
    const hi = keys[2 * index] ?? 0;
    const lo = keys[2 * index + 1] ?? 0;
    if (this.#filter.mayHave(hi, lo) && this.#files.some((file) => file.has(hi, lo))) return false;
    return this.#unsorted.add(hi, lo);
  }

  /** Forgets keys whose rows could not be written. */
  forget(keys: Uint32Array): void {
    for (let at = 0; at < keys.length; at += 2) this.#unsorted.delete(keys[at] ?? 0, keys[at + 1] ?? 0);
  }

  /**
   * Resolves once the keys are on disk in the dedupe's own files, so that the rows' segment file may be
   * removed.
   */
  keep(keys: Uint32Array): Promise<void> {
    const kept = this.#keeping.then(() => this.#keepNow(keys));
    this.#keeping = kept.catch(() => {});
    return kept;
  }

  /** Number of keys, and approximately how many bytes of memory they use. */
  size(): { keys: number; bytes: number } {
    const inMemory = this.#unsorted.size;
    const keys = this.#files.reduce((sum, file) => sum + file.count, inMemory);
    return { keys, bytes: inMemory * 16 + this.#filter.capacityKeys * 2.5 };
  }

  async close(): Promise<void> {
    await this.#keeping;
    if (this.#journal !== undefined) closeSync(this.#journal.fd);
    this.#hours.close();
    for (const file of this.#files) file.close();
  }

  async #keepNow(keys: Uint32Array): Promise<void> {
    const hour = this.#hours.note();
    if (
      this.#journal !== undefined &&
      (this.#journal.hour !== hour || this.#journal.keys.length >= 2 * JOURNAL_KEYS)
    ) {
      await this.#sortJournal(this.#journal);
    }
    this.#journal ??= await createJournal(this.#options, hour);
    await this.#journal.append(keys);
    addAll(this.#unsorted, keys); // keys of a segment file that a crash left open are not in memory yet
  }

  async #sortJournal(journal: Journal): Promise<void> {
    const keys = journal.keys;
    // Until this resolves, and also if it fails, the journal still has the keys.
    await this.#addFile(journal.hour, keys.slice());
    for (let at = 0; at < keys.length; at += 2) this.#unsorted.delete(keys[at] ?? 0, keys[at + 1] ?? 0);
    this.#journal = undefined;
    closeSync(journal.fd);
    await unlink(journal.path);
    await this.#dropExpired();
  }

  async #addFile(hour: number, keys: Uint32Array<ArrayBuffer>): Promise<void> {
    this.#lastNumber += 1;
    const name = `${hour}-${String(this.#lastNumber).padStart(8, "0")}.keys`;
    const total = this.#files.reduce((sum, file) => sum + file.count, keys.length / 2);
    if (total > this.#filter.capacityKeys) await this.#rebuildFilter(total);
    const file = await writeKeyFile(this.#options.dir, name, hour, keys);
    addAll(this.#filter, keys);
    this.#files.unshift(file); // newest first, because most duplicates are in the newest file
  }

  /**
   * Fills a new filter from the key files.
   * @param keys the number of keys that the filter must hold
   */
  async #rebuildFilter(keys: number): Promise<void> {
    const filter = new KeyFilter(keys * 2);
    for (const file of this.#files) addAll(filter, await file.readKeys());
    this.#filter = filter;
  }

  async #sortLeftJournals(): Promise<void> {
    for (const name of await readdir(this.#options.dir)) {
      const hour = JOURNAL.exec(name)?.[1];
      if (hour === undefined) continue;
      const path = join(this.#options.dir, name);
      const keys = new KeySet();
      for (const some of scanKeys(await readFile(path)).keys) addAll(keys, some);
      if (keys.size > 0) await this.#addFile(Number(hour), keys.toArray());
      await unlink(path);
    }
  }

  async #dropExpired(): Promise<void> {
    const oldest = this.#hours.now() - WINDOW_HOURS;
    const expired = this.#files.filter((file) => file.hour < oldest);
    this.#files = this.#files.filter((file) => file.hour >= oldest);
    for (const file of expired) await file.drop();
  }
}

function addAll(target: KeyFilter | KeySet, keys: Uint32Array): void {
  for (let at = 0; at < keys.length; at += 2) target.add(keys[at] ?? 0, keys[at + 1] ?? 0);
}

/** The keys that `keep` stored most recently, all in the same hour, appended as records without lines. */
interface Journal {
  readonly path: string;
  readonly fd: number;
  readonly hour: number;
  /** Two words per key; a key may occur twice. */
  readonly keys: Uint32Array<ArrayBuffer>;
  append(keys: Uint32Array): Promise<void>;
}

async function createJournal({ dir, disk = realDisk }: DedupeOptions, hour: number): Promise<Journal> {
  const path = join(dir, `${hour}.journal`);
  const fd = openSync(path, "w", 0o600);
  await flushFolder(dir);
  let bytes = 0;
  let all = new Uint32Array(0);
  const append = async (keys: Uint32Array): Promise<void> => {
    const frame = frameRecord(keys);
    try {
      await disk.write(fd, [frame], bytes);
      await disk.flush(fd);
      bytes += frame.length;
      all = concat(all, keys);
    } catch (error) {
      // If this fails too, the next append overwrites the remains.
      await disk.truncate(fd, bytes).catch(() => {});
      throw error;
    }
  };
  return {
    path,
    fd,
    hour,
    get keys() {
      return all;
    },
    append,
  };
}

function concat(first: Uint32Array, second: Uint32Array): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

async function openKeyFiles(options: DedupeOptions): Promise<{ files: KeyFile[]; lastNumber: number }> {
  const files: KeyFile[] = [];
  const found = (await readdir(options.dir))
    .map((name) => KEY_FILE.exec(name) ?? [])
    .filter(([name]) => name !== undefined)
    .map(([name = "", hour, number]) => ({
      path: join(options.dir, name),
      hour: Number(hour),
      number: Number(number),
    }))
    .sort((a, b) => b.number - a.number);
  for (const { path, hour } of found) {
    const file = await openKeyFile(path, hour);
    if (file === undefined) options.onDamaged?.(path);
    else files.push(file);
  }
  return { files, lastNumber: found[0]?.number ?? 0 };
}

/**
 * Loads the seed of this data folder's hashes, which is created once: with another seed, no remembered key
 * would be recognised.
 */
function loadSeed(options: DedupeOptions): KeySeed {
  const path = join(options.dir, "seed");
  if (!existsSync(path)) writeFileDurably(path, (options.random ?? randomBytes)(8));
  const bytes = readFileSync(path);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}
