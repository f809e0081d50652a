/** Implements `candor generate`. */
import {
  generateCommonJs,
  generateJavaScript,
  generateShell,
  generateTypeScript,
  listShellGaps,
} from "@candor/plan";
import { readPlan } from "@candor/server";
import { endWithReader, print, toSafeText } from "../terminal.ts";
import { findPlanFile } from "./plan-file.ts";

/** The generators, by the argument that selects them. */
const GENERATORS = {
  ts: generateTypeScript,
  js: generateJavaScript,
  cjs: generateCommonJs,
  sh: generateShell,
} as const;

type Language = keyof typeof GENERATORS;
export const LANGUAGES = Object.keys(GENERATORS) as readonly Language[];

/**
 * Prints code generated from a plan. For sh, stderr says what the installer kit cannot report.
 * @throws CandorError `plan_unreadable`, `plan_invalid`, `settings_invalid`
 */
export async function generate(language: Language, named: string | undefined): Promise<number> {
  endWithReader();
  const plan = readPlan(findPlanFile(named));
  await print(GENERATORS[language](plan));
  if (language === "sh") {
    for (const { where, text } of listShellGaps(plan))
      process.stderr.write(`${toSafeText(`${where}: ${text}`)}\n`);
  }
  return 0;
}
