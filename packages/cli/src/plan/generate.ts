import { generateJavaScript, generateShell, generateTypeScript } from "@candor/plan";
import { readPlan } from "@candor/server";
import { endWithReader, print } from "../terminal.ts";
import { findPlanFile } from "./plan-file.ts";

/** What code is made of a plan, by the word that asks for it. */
const GENERATORS = { ts: generateTypeScript, js: generateJavaScript, sh: generateShell } as const;

type Language = keyof typeof GENERATORS;
export const LANGUAGES = Object.keys(GENERATORS) as readonly Language[];

/**
 * `candor generate`: prints the code of a plan.
 * @throws CandorError `plan_unreadable`, `plan_invalid`, `settings_invalid`
 */
export async function generate(language: Language, named: string | undefined): Promise<number> {
  endWithReader();
  await print(GENERATORS[language](readPlan(findPlanFile(named))));
  return 0;
}
