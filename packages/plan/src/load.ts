/** Loads a plan from its file. */
import { type Path, readDocument } from "./document.ts";
import type { PlanFile } from "./format.ts";
import { toPlan } from "./model.ts";
import type { Plan } from "./plan.ts";
import { PlanError, type PlanFault } from "./plan-error.ts";
import { checkRules, unitOf } from "./rules.ts";
import { planShape } from "./schema-file.ts";
import { checkStructure } from "./structure.ts";

/**
 * Loads a plan from the text of its YAML file. `file` is the name that errors show.
 * @throws PlanError if anything is wrong, with all faults
 */
export function loadPlan(text: string, file: string): Plan {
  const document = readDocument(text);
  const faults = new Map<string, PlanFault>();
  // A fault below an anchor is found again at each alias. It is shown once, at the anchor if it is a fault
  // there too.
  const add = (path: Path, message: string, place: { readonly line: number; readonly column: number }) => {
    const [own, written] = [toText(path), toText(document.resolve(path))];
    const key = JSON.stringify([written, message]);
    if (own === written || !faults.has(key)) faults.set(key, { file, ...place, path: own, message });
  };
  for (const { path, message, line, column } of document.faults) add(path, message, { line, column });
  if (document.value === undefined) throw new PlanError([...faults.values()]);

  const broken = new Set(document.faults.map(({ path }) => JSON.stringify(unitOf(path))));
  checkStructure(planShape(), document.value, [], (path, message, part) => {
    broken.add(JSON.stringify(unitOf(path)));
    add(path, message, document.locate(path, part));
  });
  const isSound = (path: Path) => !broken.has(JSON.stringify(path));
  checkRules(document.value, isSound, (path, message, part) => {
    add(path, message, document.locate(path, part));
  });
  if (faults.size > 0) throw new PlanError([...faults.values()]);
  return toPlan(document.value as PlanFile);
}

/**
 * The position of a path in a plan's file, or of its nearest parent if the path is not in the file; line 1,
 * column 1 if there is none. Lines and columns start at 1.
 */
export function locateInPlan(text: string, path: Path): { readonly line: number; readonly column: number } {
  return readDocument(text).locate(path);
}

/**
 * Formats a path: `events[0].properties.os`; `plan` for the file as a whole. A name that is long or has
 * special characters is put in brackets, and a long one is shortened.
 */
function toText(path: Path): string {
  const steps = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    if (/^[\w$-]{1,64}$/.test(step)) return `.${step}`;
    return `[${JSON.stringify(step.length > 64 ? `${step.slice(0, 64)}…` : step)}]`;
  });
  return steps.join("").replace(/^\./, "") || "plan";
}
