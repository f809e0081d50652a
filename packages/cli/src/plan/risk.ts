/** Implements `candor plan risk`, which says which stored fields single instances out. */
import type { Anonymity, AnonymityReport, FieldAnonymity } from "@candor/server";
import { askForAnonymity } from "../collector.ts";
import { type ProductOption, withCollector } from "../keys.ts";
import { type Colours, coloursFor, print, toSafeText } from "../terminal.ts";

export interface RiskOptions extends ProductOption {
  /** The first day, `YYYY-MM-DD`. Default: 27 days before `to`. */
  readonly from?: string;
  /** The last day, `YYYY-MM-DD`. Default: today. */
  readonly to?: string;
  readonly json?: boolean;
}

/**
 * Prints how many instances each stored field singles out. Resolves to 0; to 1 if a field identifies
 * instances; or to 2 if there is no token.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`, and what findToken throws
 */
export async function showRisk(options: RiskOptions): Promise<number> {
  const { from, to, json = false } = options;
  return withCollector(options, async (collector) => {
    const period = new URLSearchParams({ ...(from && { from }), ...(to && { to }) });
    const report = await askForAnonymity(collector, period);
    await print(
      json ? `${JSON.stringify(report, null, 2)}\n` : renderRisk(report, coloursFor(process.stdout)),
    );
    return report.fields.some(({ isIdentifying }) => isIdentifying) ? 1 : 0;
  });
}

/** The part of the report that is shown. */
export type Risk = Pick<AnonymityReport, "from" | "to" | "facts" | "fields">;

const FIELD_WIDTH = 34;

const HEAD = `  ${"event".padEnd(28)}  ${"field".padEnd(FIELD_WIDTH)}${columns("values", "alone", "smallest", "bits")}\n`;

export function renderRisk({ from, to, facts, fields }: Risk, { red, dim }: Colours): string {
  const identifying = fields.filter(({ isIdentifying }) => isIdentifying);
  const lines = fields.map((field) => {
    const line = toLine(field);
    if (!field.isIdentifying) return `  ${line}`;
    return `${red("!")} ${line}    ${dim(toSafeText(field.help ?? ""))}\n`;
  });
  return `Which fields tell single instances apart, ${from} to ${to}

All facts together: ${facts.values} combinations among ${facts.instances} instances; ${facts.singledOut} (${percent(facts)}) are alone with theirs.

${HEAD}${lines.join("")}
alone: instances with a value that no other has. smallest: instances that share the rarest value.
${
  identifying.length === 0
    ? "No field but ids and durations tells a tenth of its instances apart.\n"
    : `${identifying.length} ${identifying.length === 1 ? "field tells a tenth or more of its" : "fields tell a tenth or more of their"} instances apart (!).\n`
}`;
}

function toLine({ event, name, ...field }: FieldAnonymity): string {
  const where = `${toSafeText(event).padEnd(28)}  ${toSafeText(name).padEnd(FIELD_WIDTH)}`;
  const { values, smallestGroup, entropyBits } = field;
  return `${where}${columns(values, percent(field), smallestGroup, entropyBits.toFixed(1))}\n`;
}

function columns(...cells: readonly (string | number)[]): string {
  return cells.map((cell) => String(cell).padStart(10)).join("");
}

function percent({ singledOutShare }: Anonymity): string {
  return `${(100 * (singledOutShare ?? 0)).toFixed(1)}%`;
}
