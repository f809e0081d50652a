import { Argument, type Command } from "commander";
import { checkPlan } from "./check.ts";
import { type DescribeOptions, describe } from "./describe.ts";
import { comparePlans } from "./diff.ts";
import { generate, LANGUAGES } from "./generate.ts";

const FILE = "the plan's file; CANDOR_PLAN when not given";

interface JsonOption {
  readonly json?: boolean;
}

/** `candor plan check`, `diff` and `describe`, and `candor generate`. */
export function addPlanCommands(program: Command, setExitCode: (code: number) => void): void {
  const plan = program.command("plan").description("check, compare and describe what may be collected");
  plan
    .command("check")
    .description(
      "find what is wrong with a plan, and whether its version hides a change since the last commit",
    )
    .argument("[file]", FILE)
    .option("--json", "as JSON")
    .action(async (file: string | undefined, options: JsonOption) =>
      setExitCode(await checkPlan(file, options)),
    );
  plan
    .command("diff")
    .description("show what a newer plan collects beyond an older one, and what less")
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
    .option("--check <page>", "print nothing; fail when this page is stale")
    .action(async (file: string | undefined, options: DescribeOptions) =>
      setExitCode(await describe(file, options)),
    );
  program
    .command("generate")
    .description(
      "print code made of a plan: for an SDK, with typed calls (ts) or without (js, or cjs for CommonJS), or a table (sh)",
    )
    .addArgument(new Argument("<language>", "what to make").choices(LANGUAGES))
    .argument("[file]", FILE)
    .action(async (language: (typeof LANGUAGES)[number], file: string | undefined) =>
      setExitCode(await generate(language, file)),
    );
}
