/** Measures once a day how anonymous the stored data is, and keeps the result for the public page. */
import { SingleFlight } from "@candor/envelope/concurrency";
import { isRecord } from "@candor/envelope/unknown-value";
import type { MeasuredAnonymity, Plan } from "@candor/plan";
import { CandorError } from "../errors.ts";
import type { Store } from "../store/client.ts";
import { everyNight, type NightlyOptions } from "../store/nightly.ts";
import { retryUntilDone } from "../store/retry.ts";
import { type AnonymityReport, fieldAt, reportAnonymity } from "./anonymity-report.ts";
import type { ReportDependencies } from "./ask.ts";
import { addDays, readPeriod } from "./period.ts";
import { coarsen } from "./public-stats.ts";

/** How many days are measured. If they take too long or too much memory, it is fewer. */
const DAYS = [28, 7, 1] as const;
/** With fewer instances, numbers would give single ones away. */
const MIN_GROUP = 20;

/** The last measurement. */
export interface PublicAnonymity {
  /** Undefined until it was measured for the first time, and until it was read from the store after the start. */
  last(): MeasuredAnonymity | undefined;
  close(): void;
}

export interface PublicAnonymityOptions extends ReportDependencies, Pick<NightlyOptions, "every"> {
  readonly now: () => number;
  /** Called with what went wrong in a night. The last measurement then stays. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Starts measuring every night, and reads the last measurement from the store, in the background and again until the
 * store answers.
 */
export function openPublicAnonymity(options: PublicAnonymityOptions): PublicAnonymity {
  const { store, plan, now, onFault, every } = options;
  const closing = new AbortController();
  let last: MeasuredAnonymity | undefined;
  const measuring = new SingleFlight(async () => {
    const inForce = plan.current().plan;
    last = await measure(options, inForce, now());
    await store.insertRows("anonymity", [{ atMs: now(), measured: JSON.stringify(last) }]);
  });
  const cancelNightly = everyNight({
    task: () => measuring.run().catch(onFault),
    now,
    ...(every && { every }),
  });
  const load = async (): Promise<void> => {
    const found = await readLast(store);
    last ??= found;
  };
  void retryUntilDone(load, closing.signal); // the store may be starting
  return {
    last: () => last,
    close: () => {
      closing.abort();
      cancelNightly();
    },
  };
}

/**
 * Measures the whole days before a time, or fewer if these take too long.
 * @throws CandorError `store_away`, `report_too_large`
 */
async function measure(
  deps: ReportDependencies,
  plan: Plan,
  nowMs: number,
  [days = 1, ...fewer]: readonly number[] = DAYS,
): Promise<MeasuredAnonymity> {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const to = addDays(today, -1);
  const period = new URLSearchParams({ from: addDays(to, 1 - days), to });
  try {
    const report = await reportAnonymity(deps, readPeriod(period, { plan, nowMs }));
    return toPublic(report, plan, { day: today, days });
  } catch (error) {
    const isTooLarge = error instanceof CandorError && error.code === "report_too_large";
    if (!isTooLarge || fewer.length === 0) throw error;
    return measure(deps, plan, nowMs, fewer);
  }
}

/** Reduces a report to what anybody may know. A field that several events have is counted once. */
export function toPublic(
  report: Pick<AnonymityReport, "instances" | "fields">,
  plan: Plan,
  measured: Pick<MeasuredAnonymity, "day" | "days">,
): MeasuredAnonymity {
  const instances = coarsen(report.instances, MIN_GROUP);
  const common = { ...measured, minGroup: MIN_GROUP, instances };
  if (instances === 0) return { ...common, fields: 0, identifying: [], undeclared: 0 };
  const names = (fields: AnonymityReport["fields"]): ReadonlySet<string> =>
    new Set(fields.map(({ name }) => name));
  const identifying = report.fields.filter(({ isIdentifying }) => isIdentifying);
  const declared = names(
    identifying.filter(({ event, name }) => name === "country" || fieldAt(plan, event, name) !== undefined),
  );
  return {
    ...common,
    fields: names(report.fields).size,
    identifying: [...declared].sort(),
    undeclared: [...names(identifying)].filter((name) => !declared.has(name)).length,
  };
}

async function readLast(store: Store): Promise<MeasuredAnonymity | undefined> {
  const [row] = await store.query("SELECT measured FROM anonymity ORDER BY atMs DESC LIMIT 1");
  const measured: unknown = row === undefined ? undefined : JSON.parse(String(row.measured));
  return isMeasured(measured) ? measured : undefined;
}

function isMeasured(value: unknown): value is MeasuredAnonymity {
  return isRecord(value) && typeof value.day === "string" && Array.isArray(value.identifying);
}
