import { escapeHtml } from "@candor/plan/describe";
import { TRIM_REASONS } from "@candor/plan/runtime";
import { DROP_REASONS } from "../reasons.ts";
import type { Delivery } from "../send/delivery.ts";
import { explainRefused } from "../send/retry.ts";
import type { InspectorStatus } from "./status.ts";

type Row = readonly [what: string, count: number, meaning?: string];

const DROP_SENTENCES: { readonly [reason: string]: string } = DROP_REASONS;
const TRIM_SENTENCES: { readonly [reason: string]: string } = TRIM_REASONS;

/** What became of the messages: at the collector, and in this process. */
export function writeNumbers({ product, kept, counts }: InspectorStatus): string {
  if (product === undefined) return "";
  return `<section class="plain" aria-labelledby="numbers">
<div class="head"><h2 id="numbers">Numbers</h2></div>
${kept === undefined ? "" : writeTable("What became of the messages, since the instance got its id", deliveryRows(kept.delivery))}
${writeTable("What this process did with the product's calls, since it started", [
  ["kept", counts.kept, "Put into the outbox, or printed in log mode."],
  ...Object.entries(counts.dropped).map(
    ([reason, count]): Row => [`dropped: ${reason}`, count, DROP_SENTENCES[reason] ?? ""],
  ),
  ...Object.entries(counts.trimmed).map(([what, count]): Row => {
    const [path = "", reason = ""] = what.split(" ");
    return [`taken out: ${path}`, count, TRIM_SENTENCES[reason] ?? reason];
  }),
])}
</section>`;
}

function deliveryRows({ accepted, refused, expired, overflowed }: Delivery): readonly Row[] {
  return [
    ["accepted", accepted, "The collector took them."],
    ...Object.entries(refused).map(
      ([reason, count]): Row => [`refused: ${reason}`, count, explainRefused(reason)],
    ),
    ["expired", expired, "They could not be sent within seven days, and were deleted."],
    ["overflowed", overflowed, "They were deleted because the outbox was full."],
  ];
}

function writeTable(caption: string, rows: readonly Row[]): string {
  const cells = rows.map(
    ([what, count, meaning = ""]) =>
      `<tr><th scope="row">${escapeHtml(what)}</th><td class="count">${count.toLocaleString("en-US")}</td><td>${escapeHtml(meaning)}</td></tr>`,
  );
  return `<div class="scroll" role="region" aria-label="${escapeHtml(caption)}" tabindex="0"><table>
<caption><span>${escapeHtml(caption)}</span></caption>
<thead><tr><th scope="col">What</th><th scope="col" class="count">Messages</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${cells.join("\n")}
</tbody>
</table></div>`;
}
