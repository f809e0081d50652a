/** Defines the commands about plans and their arguments. */
import { Argument, type Command } from "commander";
import { PRODUCT } from "../keys.ts";
import { checkPlan } from "./check.ts";
import { type DescribeOptions, describe } from "./describe.ts";
import { comparePlans } from "./diff.ts";
import { generate, LANGUAGES } from "./generate.ts";
import { type RiskOptions, showRisk } from "./risk.ts";

const FILE = "the plan's file (default: CANDOR_PLAN)";

interface JsonOption {
  readonly json?: boolean;
}

/**
 * Adds `candor plan check`, `diff`, `describe` and `risk`, and `candor generate`.
 * @param orRefuse handles the errors of a command that asks a collector
 */
export function addPlanCommands(
  program: Command,
  setExitCode: (code: number) => void,
  orRefuse: (asking: Promise<number>) => Promise<number>,
): void {
  const plan = program.command("plan").description("check, compare and describe what may be collected");
  plan
    .command("check")
    .description("find errors in a plan, and changes that its version hides (compared with git's history)")
    .argument("[file]", FILE)
    .option("--json", "as JSON")
    .action(async (file: string | undefined, options: JsonOption) =>
      setExitCode(await checkPlan(file, options)),
    );
  plan
    .command("diff")
    .description("show what a newer plan collects more and less than an older one")
    .argument("<old>", "a file, or REV:path as git writes it, such as origin/main:plan.yaml")
    .argument("<new>", "a file")
    .option("--json", "as JSON")
    .action(async (older: string, newer: string, options: JsonOption) =>
      setExitCode(await comparePlans(older, newer, options)),
    );
  plan
    .command("describe")
    .description('print the page "what is collected", as Markdown')
    .argument("[file]", FILE)
    .option("--html", "as HTML")
    .option("--check <page>", "print nothing; fail if this page is stale")
    .action(async (file: string | undefined, options: DescribeOptions) =>
      setExitCode(await describe(file, options)),
    );
  plan
    .command("risk")
    .description("ask a running Candor which stored fields single instances out, and what would help")
    .option("--from <day>", "first day, such as 2026-01-31 (default: 28 days)")
    .option("--to <day>", "last day")
    .option(...PRODUCT)
    .option("--json", "as JSON")
    .action(async (options: RiskOptions) => setExitCode(await orRefuse(showRisk(options))));
  program
    .command("generate")
    .description(
      "print code generated from a plan: with typed calls (ts), without (js, or cjs for CommonJS), or for the installer kit (sh)",
    )
    .addArgument(new Argument("<language>", "the language").choices(LANGUAGES))
    .argument("[file]", FILE)
    .action(async (language: (typeof LANGUAGES)[number], file: string | undefined) =>
      setExitCode(await generate(language, file)),
    );
}
