/**
 * Reports installs: how many succeed, which errors stop the others, how long they take, and how many led to an
 * instance.
 */
import { installLinkOf } from "@candor/plan";
import {
  ask,
  type ReportDependencies,
  type ReportHead,
  type Row,
  readHead,
  shareOf,
  toNumbers,
} from "./ask.ts";
import { nameOf, type Period } from "./period.ts";

const SILENT_MS = 24 * 3600 * 1000;

/** The answer of GET /api/reports/installs. */
export interface InstallsReport extends ReportHead, Installs {
  readonly before: Installs;
}

/** Counts of installs. The installer generates a random id for each. */
export interface Installs {
  readonly installs: number;
  readonly outcomes: readonly {
    /** `silent`: no success, no error, and no message for 24 hours. */
    readonly outcome: "success" | "error" | "silent" | "running";
    readonly installs: number;
    readonly share: number | null;
  }[];
  /** Most frequent first. */
  readonly errors: readonly { readonly error: string; readonly installs: number }[];
  readonly systems: readonly {
    readonly os: string;
    readonly installs: number;
    readonly successShare: number | null;
  }[];
  readonly byDay: readonly { readonly day: string; readonly installs: number; readonly succeeded: number }[];
  /** Median time from an install's first message to its success; null if none succeeded. */
  readonly medianDurationMs: number | null;
  /** null if the plan does not declare the heartbeat's field `installId`, which links an instance to its install. */
  readonly ledToInstance: LedToInstance | null;
}

/** Installs whose instance has sent a heartbeat, at any time. Every instance counts, also one that is left out. */
export interface LedToInstance {
  readonly succeeded: number;
  /** Share of the successful installs, from 0 to 1; null if there are none. */
  readonly share: number | null;
  /** Installs that led to an instance although the installer has not reported success. */
  readonly notSucceeded: number;
  /**
   * Median time from an install's success to its instance's first heartbeat, 0 where the heartbeat came first;
   * null if `succeeded` is 0.
   */
  readonly medianToHeartbeatMs: number | null;
}

const OUTCOMES = ["success", "error", "silent", "running"] as const;

export async function reportInstalls(deps: ReportDependencies, period: Period): Promise<InstallsReport> {
  const [head, installs, before] = await Promise.all([
    readHead(deps, period),
    readInstalls(deps, period),
    readInstalls(deps, period.before()),
  ]);
  return { ...head, ...installs, before };
}

export async function readInstalls(
  { store, plan, storedUntilMs }: ReportDependencies,
  period: Period,
): Promise<Installs> {
  const rows = await ask(store, "installs", period, { silentBeforeMs: storedUntilMs() - SILENT_MS });
  const installs = sumOf(rows);
  const succeeded = (of: readonly Row[]): number => sumOf(of.filter(({ outcome }) => outcome === "success"));
  const isLinked = installLinkOf(plan.current().plan) !== undefined;
  return {
    installs,
    outcomes: OUTCOMES.map((outcome) => {
      const count = sumOf(rows.filter((row) => row.outcome === outcome));
      return { outcome, installs: count, share: shareOf(count, installs) };
    }),
    errors: groupBy(
      rows.filter(({ outcome }) => outcome === "error"),
      "error",
    ).map(([error, of]) => ({ error, installs: sumOf(of) })),
    systems: groupBy(rows, "os").map(([os, of]) => ({
      os,
      installs: sumOf(of),
      successShare: shareOf(succeeded(of), sumOf(of.filter(({ outcome }) => outcome !== "running"))),
    })),
    byDay: groupBy(rows, "day")
      .map(([day, of]) => ({ day, installs: sumOf(of), succeeded: succeeded(of) }))
      .sort((a, b) => (a.day < b.day ? -1 : 1)),
    medianDurationMs: medianOf(rows.flatMap(({ durationsMs }) => toNumbers(durationsMs))),
    ledToInstance: isLinked ? toLedToInstance(rows, succeeded(rows)) : null,
  };
}

function toLedToInstance(rows: readonly Row[], successes: number): LedToInstance {
  const waits = rows.flatMap(({ heartbeatAfterMs }) => toNumbers(heartbeatAfterMs));
  const linked = rows.reduce((sum, row) => sum + Number(row.linked), 0);
  return {
    succeeded: waits.length,
    share: shareOf(waits.length, successes),
    notSucceeded: linked - waits.length,
    medianToHeartbeatMs: medianOf(waits),
  };
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { installs }) => sum + Number(installs), 0);
}

/** Groups rows by a column, the largest group first. */
function groupBy(rows: readonly Row[], column: string): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const value = nameOf(row[column]);
    groups.set(value, [...(groups.get(value) ?? []), row]);
  }
  return [...groups].sort(([a, of], [b, others]) => sumOf(others) - sumOf(of) || (a < b ? -1 : 1));
}

/**
 * Returns the median, or null for no values. Of an even number of values, returns the lower of the two in the
 * middle.
 */
function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
