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
 * @throws PlanError with everything that is wrong, and nothing else
 */
export function loadPlan(text: string, file: string): Plan {
  const document = readDocument(text);
  const faults: PlanFault[] = document.faults.map((fault) => ({ file, ...fault, path: toText(fault.path) }));
  if (document.value === undefined) throw new PlanError(faults);

  const broken = new Set(document.faults.map(({ path }) => JSON.stringify(unitOf(path))));
  checkStructure(planShape(), document.value, [], (path, message, part) => {
    broken.add(JSON.stringify(unitOf(path)));
    faults.push({ file, ...document.locate(path, part), path: toText(path), message });
  });
  const isSound = (path: Path) => !broken.has(JSON.stringify(path));
  checkRules(document.value, isSound, (path, message, part) => {
    faults.push({ file, ...document.locate(path, part), path: toText(path), message });
  });
  if (faults.length > 0) throw new PlanError(withoutRepeats(faults));
  return toPlan(document.value as PlanFile);
}

/** What is wrong below an anchor is found again at each of its aliases: the same place, key and sentence. */
function withoutRepeats(faults: readonly PlanFault[]): readonly PlanFault[] {
  const seen = new Set<string>();
  return faults.filter(({ line, column, path, message }) => {
    const key = JSON.stringify([line, column, /[^.[]*$/.exec(path)?.[0], message]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Where a path of a plan's file is, from 1; the nearest parent if it is not there. */
export function locateInPlan(text: string, path: Path): { readonly line: number; readonly column: number } {
  return readDocument(text).locate(path);
}

/** `events[0].properties.os`; a long name is shortened, one with a blank is put in brackets. */
function toText(path: Path): string {
  const steps = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    if (/^[\w$-]{1,64}$/.test(step)) return `.${step}`;
    return `[${JSON.stringify(step.length > 64 ? `${step.slice(0, 64)}…` : step)}]`;
  });
  return steps.join("").replace(/^\./, "") || "plan";
}
