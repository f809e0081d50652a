/** Implements `candor plan diff`, and renders differences between plans. */
import { existsSync } from "node:fs";
import {
  checkNewVersion,
  type DifferenceKind,
  diffPlans,
  loadPlan,
  type Plan,
  type PlanDifference,
  PlanError,
} from "@candor/plan";
import { CandorError, readPlan } from "@candor/server";
import { type Colours, coloursFor, endWithReader, print, toSafeJson, toSafeText } from "../terminal.ts";
import { readRevision } from "./git-history.ts";

/**
 * Prints what the newer plan collects more and less than the older one. Resolves to 1 if the newer plan hides
 * a difference (see `checkNewVersion`), otherwise to 0.
 * @throws CandorError `plan_unreadable`, `plan_invalid`
 */
export async function comparePlans(
  olderName: string,
  newerName: string,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  endWithReader();
  const [older, newer] = [openPlan(olderName), openPlan(newerName)];
  const problem = checkNewVersion(older, newer);
  const differences = diffPlans(older, newer);
  if (json) {
    const of = (name: string, { version }: Plan) => ({ name, version });
    const answer = {
      ok: problem === undefined,
      older: of(olderName, older),
      newer: of(newerName, newer),
      differences,
      problem: problem ?? null,
    };
    await print(`${toSafeJson(JSON.stringify(answer))}\n`);
  } else {
    const colours = coloursFor(process.stdout);
    const list = renderDifferences(differences, colours);
    await print(`${list}${list === "" ? "" : "\n"}${renderEnd(older, newer, problem, colours)}\n`);
  }
  return problem === undefined ? 0 : 1;
}

function renderEnd(older: Plan, newer: Plan, problem: string | undefined, colours: Colours): string {
  if (problem !== undefined) return colours.red(toSafeText(problem));
  if (newer.version > older.version) return `The version grew from ${older.version} to ${newer.version}.`;
  const { length } = diffPlans(older, newer);
  return length === 0 ? "Nothing differs." : `No new version is needed; both are version ${newer.version}.`;
}

/** Loads a plan from a file or, if there is no such file, from a revision in git. */
function openPlan(name: string): Plan {
  if (existsSync(name) || name.startsWith("-") || !name.includes(":")) return readPlan(name);
  const { value: text, fault } = readRevision(name);
  if (fault !== undefined) throw new CandorError("plan_unreadable", { file: name, cause: fault });
  try {
    return loadPlan(text, name);
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw new CandorError("plan_invalid", { faults: error.message }, error);
  }
}

/** The groups in the order in which they are shown: first what matters most to people. */
const TITLES: Readonly<Record<DifferenceKind, string>> = {
  newly_collected: "Newly collected",
  more_sensitive: "More sensitive",
  kept_longer: "Kept longer",
  consent_weaker: "Consent weaker",
  less: "Less",
  other: "Other",
};

/** Renders the differences in groups, each below its title. */
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
