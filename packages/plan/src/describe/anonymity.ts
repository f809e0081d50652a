/** Writes the public page's section on how anonymous the stored data is, as it was last measured. */
import { toSection } from "./fixed-sections.ts";
import type { Line, Section } from "./page.ts";

/** How many instances the stored fields single out. It has no values and no exact number of instances. */
export interface MeasuredAnonymity {
  /** When it was measured, `YYYY-MM-DD` in UTC. */
  readonly day: string;
  /** How many whole days before it were measured. */
  readonly days: number;
  /** The number of instances is rounded down to a multiple of this. */
  readonly minGroup: number;
  /** 0 if there are fewer than `minGroup`; then nothing else is said. */
  readonly instances: number;
  /** Number of stored fields, each counted once, however many events have it. */
  readonly fields: number;
  /** The declared fields that single out a tenth or more of their instances, by their paths. */
  readonly identifying: readonly string[];
  /** How many undeclared fields do so. Their names are left out, because anybody may have sent them. */
  readonly undeclared: number;
}

export function describeAnonymity(measured: MeasuredAnonymity | undefined): readonly Section[] {
  if (measured === undefined) return [];
  return [
    toSection("anonymity", "How anonymous it is", [
      { kind: "text", line: toResult(measured) },
      {
        kind: "text",
        line: [
          `Measured by the collector once a day, over what it received ${measured.days === 1 ? "on the day" : `in the ${measured.days} days`} before. ` +
            "Instances' own ids and durations do not count: the ids are there to tell instances apart, and durations differ by chance.",
        ],
      },
    ]),
  ];
}

function toResult({ day, minGroup, instances, fields, identifying, undeclared }: MeasuredAnonymity): Line {
  if (instances === 0)
    return [`Measured on ${day}: fewer than ${minGroup} instances, which are too few to publish numbers.`];
  const all = identifying.length + undeclared;
  const found = `Measured on ${day} over at least ${instances.toLocaleString("en")} instances: of ${fields} stored fields, `;
  if (all === 0) return [`${found}none has values that single out a tenth or more of its instances.`];
  const names = identifying.flatMap((name, index) => [...(index > 0 ? [", "] : []), { code: name }]);
  const others =
    undeclared === 0
      ? []
      : [`${names.length > 0 ? ", and " : ""}${undeclared} that the plan does not declare`];
  return [
    `${found}${all} ${all === 1 ? "has" : "have"} values that single out a tenth or more of ${all === 1 ? "its" : "their"} instances: `,
    ...names,
    ...others,
    ".",
  ];
}
