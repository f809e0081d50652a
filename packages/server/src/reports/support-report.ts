/** Reports how many people asked for support, and about what. Contacts themselves are in no report. */
import { isRecord } from "@candor/envelope/unknown-value";
import { ask, type ReportDependencies, type Row } from "./ask.ts";
import type { Period } from "./period.ts";

/** The answer of GET /api/reports/support. Days are days in UTC. */
export interface SupportReport {
  readonly from: string;
  readonly to: string;
  readonly requests: number;
  /** In as many days before. */
  readonly requestsBefore: number;
  /** Days without a request are left out. */
  readonly byDay: readonly { readonly day: string; readonly requests: number }[];
  /** For each field that the plan keeps beside a contact, its values, most frequent first. */
  readonly fields: readonly SupportField[];
}

export interface SupportField {
  readonly name: string;
  readonly values: readonly { readonly value: string; readonly requests: number }[];
}

/** @throws CandorError `store_away`, `report_too_large` */
export async function reportSupport({ store }: ReportDependencies, period: Period): Promise<SupportReport> {
  const [rows, before] = await Promise.all([
    ask(store, "support", period),
    ask(store, "support", period.before()),
  ]);
  const days = new Map<string, number>();
  const fields = new Map<string, Map<string, number>>();
  for (const { onDay, about, requests } of rows) {
    add(days, String(onDay), Number(requests));
    const kept: unknown = JSON.parse(String(about));
    for (const [name, value] of Object.entries(isRecord(kept) ? kept : {})) {
      const values = fields.get(name) ?? new Map<string, number>();
      add(values, String(value), Number(requests));
      fields.set(name, values);
    }
  }
  return {
    from: period.from,
    to: period.to,
    requests: total(rows),
    requestsBefore: total(before),
    byDay: [...days].map(([day, requests]) => ({ day, requests })),
    fields: [...fields].sort().map(([name, values]) => ({
      name,
      values: [...values]
        .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
        .map(([value, requests]) => ({ value, requests })),
    })),
  };
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function total(rows: readonly Row[]): number {
  return rows.reduce((sum, { requests }) => sum + Number(requests), 0);
}
