import type { DifferenceKind, PlanDifference } from "@candor/plan";
import type { Colours } from "../terminal.ts";
import { toSafeText } from "../terminal.ts";

/** The groups in the order in which they are shown: what people mind most stands first. */
const TITLES: Readonly<Record<DifferenceKind, string>> = {
  newly_collected: "Newly collected",
  more_sensitive: "More sensitive",
  kept_longer: "Kept longer",
  consent_weaker: "Consent weaker",
  less: "Less",
  other: "Other",
};

/** The differences in groups, each group below its title. */
export function renderDifferences(differences: readonly PlanDifference[], colours: Colours): string {
  const groups = Object.entries(TITLES).map(([kind, title]) => {
    const own = differences.filter((difference) => difference.kind === kind);
    if (own.length === 0) return "";
    const paint = kind === "less" ? colours.green : kind === "other" ? colours.dim : colours.yellow;
    const lines = own.map(({ where, text }) => `  ${toSafeText(`${where}: ${text}`)}\n`);
    return `${paint(colours.bold(title))}\n${lines.join("")}`;
  });
  return groups.filter((group) => group !== "").join("\n");
}
