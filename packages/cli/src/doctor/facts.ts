import type { EngineSupport } from "@candor/engine";

/** What the doctor looks at. Gathered by the sibling files, checked by checks.ts. */
export interface Facts {
  readonly machine: MachineFacts;
  /** The sentence of `settings_invalid`; then there is no place to look at. */
  readonly settingsFaults: string | undefined;
  readonly place: PlaceFacts | undefined;
}

export interface MachineFacts {
  readonly nodeVersion: string;
  /** Such as linux-x64. */
  readonly platform: string;
  readonly engine: EngineSupport;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** What the settings point at. */
export interface PlaceFacts {
  /** Whether the settings name a ClickHouse server. */
  readonly usesServer: boolean;
  readonly plan: PlanFacts;
  readonly folder: FolderFacts;
  /** Undefined where the system does not say. */
  readonly disk: DiskFacts | undefined;
  readonly quarantine: QuarantineFacts;
  readonly listening: ListeningFacts;
  /** Instances whose state folder was copied; undefined when no collector says. */
  readonly clones: number | undefined;
  /** ClickHouse servers that were asked; none while a collector runs, which knows better. */
  readonly servers: readonly ServerFacts[];
}

/** The plan as a start would read it. */
export interface PlanFacts {
  readonly file: string;
  /** Why it cannot be used; then nothing else is known of it. */
  readonly fault: string | undefined;
  readonly product: string;
  readonly version: number;
  /** What its maker should know of it, a sentence each. */
  readonly attention: readonly string[];
}

export interface FolderFacts {
  readonly path: string;
  /** `missing`: not made yet, and could be. */
  readonly state: "missing" | "writable" | { readonly cause: string };
  /** Permission bits, where the system has them: of the folder, and of keys.json in it. */
  readonly mode: number | undefined;
  readonly keysMode: number | undefined;
  /** Whether a process works on it, or why that cannot be told. */
  readonly lock: "free" | "held" | { readonly why: string };
  /** Why `candor start` would refuse it: something in it belongs to another user, or is a link. */
  readonly foreign: string | undefined;
}

export interface DiskFacts {
  readonly freeBytes: number;
  readonly logBytes: number;
  readonly storeBytes: number;
}

/** Rows that the store rejected. Never holds the rows themselves. */
export interface QuarantineFacts {
  readonly dir: string;
  readonly rows: readonly { readonly id: string; readonly fault: string; readonly quarantinedAt: string }[];
  /** Why they could not be read. */
  readonly cause: string | undefined;
}

export interface ListeningFacts {
  /** Where a collector was looked for. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Whether `url` is where these settings would listen, rather than another machine's address. */
  readonly isOwn: boolean;
  readonly answer: CollectorFacts | OtherFacts | SilentFacts;
}

/** A Candor answers. */
export interface CollectorFacts {
  readonly kind: "collector";
  /** Why it cannot accept messages; undefined when it can. */
  readonly unready: string | undefined;
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly aheadMs: number | undefined;
  /** Values of /metrics that carry no label. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** Something else answers. */
export interface OtherFacts {
  readonly kind: "other";
  readonly why: string;
}

/** Nothing answers. */
interface SilentFacts {
  readonly kind: "silent";
  readonly cause: string;
  /** Why these settings' port could not be listened on; undefined when it can. */
  readonly bindFault: string | undefined;
}

export interface ServerFacts {
  /** Without name and password. */
  readonly url: string;
  /** Why it did not answer; undefined when it did. */
  readonly fault: string | undefined;
}
