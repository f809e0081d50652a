/** Defines the doctor's types: the facts that examine.ts gathers, and the checks that checks.ts returns. */
import type { EngineSupport } from "@candor/engine";

/**
 * The result of one check. The sentence says what was found and, if something is wrong, what to do. It may be
 * followed by further lines.
 */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly sentence: string;
}

export interface Facts {
  readonly machine: MachineFacts;
  /** The message of `settings_invalid`; undefined if the settings are valid. */
  readonly settingsFaults: string | undefined;
  readonly place: PlaceFacts | undefined;
}

export interface MachineFacts {
  readonly nodeVersion: string;
  /** The operating system and processor, such as linux-x64. */
  readonly platform: string;
  readonly engine: EngineSupport;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** Facts about what the settings point to: plan, data folder, collector and ClickHouse servers. */
export interface PlaceFacts {
  /** Whether the settings name a ClickHouse server. */
  readonly usesServer: boolean;
  /** One for each product; one alone if the plans cannot be used together. */
  readonly plans: readonly PlanFacts[];
  readonly folder: FolderFacts;
  /** Undefined if the system does not report free space. */
  readonly disk: DiskFacts | undefined;
  /** One for each product. */
  readonly quarantines: readonly QuarantineFacts[];
  readonly listening: ListeningFacts;
  /**
   * How many instances send from two places, because their state folder was copied. Undefined if no collector
   * reports it.
   */
  readonly clones: number | undefined;
  /**
   * The ClickHouse servers that were asked. Empty if none is configured, or if a collector runs, whose
   * metrics say more.
   */
  readonly servers: readonly ServerFacts[];
}

/** The plan as `candor start` would read it. */
export interface PlanFacts {
  readonly file: string;
  /** Why the plan cannot be used; all other fields except `file` are then empty or 0. Undefined if it can. */
  readonly fault: string | undefined;
  readonly product: string;
  readonly version: number;
  /** What the plan's maker should know about it, one text each. */
  readonly attention: readonly string[];
}

export interface FolderFacts {
  readonly path: string;
  /**
   * `missing`: the folder does not exist yet but can be created. `cause`: why the folder cannot be written,
   * or cannot be created.
   */
  readonly state: "missing" | "writable" | { readonly cause: string };
  /** The folder's permission bits. Undefined if the folder is missing, or if the system has no such bits. */
  readonly mode: number | undefined;
  /** The permission bits of keys.json. Undefined if it is missing, or if the system has no such bits. */
  readonly keysMode: number | undefined;
  /** Why keys.json cannot be used. Undefined if it does not exist or can be used. */
  readonly keysFault: string | undefined;
  /** Whether a process uses the folder, or why that cannot be determined. */
  readonly lock: "free" | "held" | { readonly why: string };
  /**
   * Why `candor start` would reject the folder: it or an entry belongs to another user, or an entry is a
   * link. Undefined if it would not.
   */
  readonly foreign: string | undefined;
}

export interface DiskFacts {
  readonly freeBytes: number;
  readonly logBytes: number;
  readonly storeBytes: number;
}

/** Rows that the store rejected, without their content. */
export interface QuarantineFacts {
  readonly dir: string;
  readonly rows: readonly { readonly id: string; readonly fault: string; readonly quarantinedAt: string }[];
  /** Why the rows could not be read. Undefined if they could. */
  readonly cause: string | undefined;
}

export interface ListeningFacts {
  /** The address at which a collector was looked for. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Whether `url` is where a collector with these settings would listen, and not another machine or port. */
  readonly isOwn: boolean;
  readonly answer: CollectorFacts | OtherFacts | SilentFacts;
}

/** A Candor collector answers. */
export interface CollectorFacts {
  readonly kind: "collector";
  /** Why the collector cannot accept messages. Undefined if it can. */
  readonly unready: string | undefined;
  /**
   * How far the collector's clock is ahead of this machine's, in milliseconds; negative if it is behind,
   * undefined if unknown.
   */
  readonly aheadMs: number | undefined;
  /** The values of those metrics of /metrics that have no labels, by name. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** Something other than a Candor collector answers. */
export interface OtherFacts {
  readonly kind: "other";
  readonly why: string;
}

/** Nothing answers. */
interface SilentFacts {
  readonly kind: "silent";
  readonly cause: string;
  /** Why the configured port cannot be listened on. Undefined if it can. */
  readonly bindFault: string | undefined;
}

export interface ServerFacts {
  /** The address without user name and password. */
  readonly url: string;
  /** Why the server cannot be used: no answer, or an answer that is not ClickHouse's. Undefined if it can. */
  readonly fault: string | undefined;
}
