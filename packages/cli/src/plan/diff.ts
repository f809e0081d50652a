import { existsSync } from "node:fs";
import { checkNewVersion, diffPlans, loadPlan, type Plan, PlanError } from "@candor/plan";
import { CandorError, readPlan } from "@candor/server";
import { type Colours, coloursFor, endWithReader, print, toSafeJson, toSafeText } from "../terminal.ts";
import { renderDifferences } from "./difference-lines.ts";
import { readRevision } from "./git-history.ts";

/**
 * `candor plan diff OLD NEW`: what the newer plan collects beyond the older one, and what less. 1 when that needs a
 * new version of the plan, and it has none.
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

/** A plan of a file, or of a revision of git when there is no such file. */
function openPlan(name: string): Plan {
  if (existsSync(name) || name.startsWith("-") || !name.includes(":")) return readPlan(name);
  const { text, fault } = readRevision(name);
  if (fault !== undefined) throw new CandorError("plan_unreadable", { file: name, cause: fault });
  try {
    return loadPlan(text, name);
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw new CandorError("plan_invalid", { faults: error.message }, error);
  }
}
