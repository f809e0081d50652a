/** Owns the plan in force, and swaps it when its file changes. */
import { readFileSync, statSync } from "node:fs";
import { loadPlan, type Plan, PlanError } from "@candor/plan";
import { type CompiledPlan, compilePlan, type Redactors } from "@candor/plan/runtime";
import { CandorError, causeOf } from "../errors.ts";

/**
 * Time between two polls. A change takes effect when two polls in a row see the same file, because an editor
 * may still be writing it.
 */
const LOOK_EVERY_MS = 400;

/** The plan that messages are checked against, and what is wrong with its file. */
export interface PlanInForce {
  current(): CompiledPlan;
  /** Why the current content of the file is not in force; undefined if it is. */
  fault(): string | undefined;
  close(): void;
}

export interface PlanInForceOptions {
  readonly file: string;
  readonly redactors: Redactors;
  /** Called with every plan that takes effect after the first. */
  readonly onChange: (plan: Plan) => void;
  /** Called with each message for the operator. */
  readonly report: (line: string) => void;
}

/**
 * Reads and compiles the plan, and does so again whenever its file changes. The new plan replaces the old one
 * as a whole, between two messages. If the file is broken or missing, the previous plan stays in force, and
 * the fault is reported.
 *
 * The file is polled, not watched: file system events do not cross bind mounts, and editors replace files.
 * @throws CandorError `plan_invalid`, `plan_unreadable` if the first plan cannot be loaded
 */
export function openPlan(options: PlanInForceOptions): PlanInForce {
  const { file, redactors, report } = options;
  let current = compilePlan(readPlan(file), redactors);
  let inForce = stampOf(file);
  let seen = inForce;
  let fault: string | undefined;
  const look = (): void => {
    const stamp = stampOf(file);
    const isSettled = stamp === seen;
    seen = stamp;
    if (!isSettled || stamp === inForce) return;
    inForce = stamp;
    try {
      const plan = readPlan(file);
      current = compilePlan(plan, redactors);
      fault = undefined;
      report(`The plan has changed: version ${plan.version} is in force.`);
      options.onChange(plan);
    } catch (error) {
      fault = error instanceof CandorError ? error.message : causeOf(error);
      report(`${fault}\nThe plan of before (version ${current.plan.version}) stays in force.`);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return { current: () => current, fault: () => fault, close: () => clearInterval(timer) };
}

/**
 * Reads and validates a plan file.
 * @throws CandorError `plan_invalid`, `plan_unreadable`
 */
export function readPlan(file: string): Plan {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CandorError("plan_unreadable", { file, cause: causeOf(error) }, error);
  }
  try {
    return loadPlan(text, file);
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw new CandorError("plan_invalid", { faults: error.message }, error);
  }
}

/** Identifies the file's current content by inode, modification time and size; `gone` if there is no file. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? "gone" : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
