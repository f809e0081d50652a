import { readFileSync } from "node:fs";
import {
  type AskOptions,
  COULD_NOT,
  compare,
  type InspectOptions,
  inspect,
  readAddress,
  WRITE_AN_ADDRESS,
} from "@candor/node/operator";
import { Command, InvalidArgumentError } from "commander";
import { diagnose } from "./doctor.ts";
import { readCollectorUrl } from "./environment.ts";
import { type ForgetOptions, forget } from "./forget.ts";
import { printKeys } from "./keys.ts";
import { addPlanCommands } from "./plan/commands.ts";
import { orRefuse } from "./refusal.ts";
import { start } from "./start.ts";
import { type TailOptions, tail } from "./tail.ts";

const SETTINGS = `
Settings come from the environment:
  CANDOR_HOST, CANDOR_PORT     where to listen (127.0.0.1, 7226; port 0 takes any free one)
  CANDOR_DATA_DIR              folder of everything that Candor keeps (./.candor)
  CANDOR_PLAN                  the plan's file (the Appsmith plan that comes with Candor when not given)
  CANDOR_WRITE_KEYS            installer:KEY,server:KEY,client:KEY (made and kept when not given)
  CANDOR_ADMIN_TOKEN           token of the read API (made and kept when not given)
  CANDOR_CLICKHOUSE_URL        a ClickHouse server, or one for each node of a cluster (embedded when not given)
  CANDOR_CLICKHOUSE_CLUSTER    the cluster's name
  CANDOR_TRUSTED_PROXIES       proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8
  CANDOR_ORIGINS               addresses that instances sign for, such as https://telemetry.example.org
  CANDOR_URL                   where tail, doctor, compare and forget find a running Candor`;

const COLLECTOR = "the collector's address; else CANDOR_URL, else where the instance itself sends to";

/** The commands. Each resolves to the exit code. */
export function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command("candor")
    .description("Telemetry for software that other people host.")
    .version(readVersion())
    .addHelpText("after", SETTINGS)
    .showHelpAfterError("(candor --help lists commands and settings)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : COULD_NOT));
  program
    .command("start")
    .description("run the collector")
    .action(async () => setExitCode(await start()));
  program
    .command("keys")
    .description("print the write keys and the admin token")
    .option("--json", "as JSON")
    .action(async (options: { json?: boolean }) => setExitCode(await printKeys(options)));
  program
    .command("tail")
    .description("show messages as they arrive, those that are dropped too")
    .option("--source <source>", "only from installer, server or client")
    .option("--event <name>", "only this event")
    .option("--type <type>", "only track, identify, page, screen, group or alias")
    .option("--user <id>", "only of this userId")
    .option(
      "--where <path=value>",
      "only with this value, such as properties.plan=free; repeatable",
      addWhere,
      [],
    )
    .option("--json", "one JSON object a line, for pipes")
    .action(async (options: TailOptions) => setExitCode(await orRefuse(tail(options))));
  program
    .command("doctor")
    .description("find out what is wrong, and what to do")
    .option("--json", "as JSON")
    .action(async (options: { json?: boolean }) => setExitCode(await diagnose(options)));
  addPlanCommands(program, setExitCode);
  addInstanceCommands(program, setExitCode);
  addForgetCommand(program, setExitCode);
  return program;
}

/** What an operator asks about the product on their own machine. */
function addInstanceCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("inspect")
    .description(
      "show what a product's telemetry holds on this machine: answers, messages, what became of them",
    )
    .argument("<dir>", "the product's state folder")
    .option("--json", "as JSON")
    .option("--limit <n>", "newest messages to show, 1 to 1000", toLimit, 20)
    .option("--hash", "print what stands for a user's id in messages; the id is read from standard input")
    .action(async (dir: string, options: InspectOptions) => setExitCode(await inspect(dir, options)));
  program
    .command("compare")
    .description("find out whether the collector holds of this instance what was sent, and nothing else")
    .argument("<dir>", "the product's state folder")
    .option("--url <url>", COLLECTOR, toUrl)
    .option("--json", "as JSON, with every messageId")
    .action(async (dir: string, options: AskOptions) =>
      setExitCode(await orRefuse(compareFrom(dir, options))),
    );
}

/** @throws CandorError `settings_invalid` */
async function compareFrom(dir: string, options: AskOptions): Promise<number> {
  return compare(dir, { ...options, url: options.url ?? readCollectorUrl() });
}

function toLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new InvalidArgumentError("Write 1 to 1000.");
  return limit;
}

/** @throws InvalidArgumentError */
function toUrl(text: string): string {
  const address = readAddress(text);
  if (address === undefined) throw new InvalidArgumentError(WRITE_AN_ADDRESS);
  return address;
}

function addForgetCommand(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("forget")
    .description("delete all that a running Candor keeps of an instance, a user or a contact")
    .option("--instance <id>", "everything that this instance sent")
    .option(
      "--user <id>",
      "everything of this userId, anonymousId or previousId, or of its hash (inspect --hash)",
    )
    .option("--contact", "what was kept with an e-mail address, which is read from standard input")
    .option("--state <dir>", "everything of the instance of this state folder, asked for with its own key")
    .option("--url <url>", COLLECTOR, toUrl)
    .option("--json", "print the receipt as JSON")
    .action(async (options: ForgetOptions) => setExitCode(await orRefuse(forget(options))));
}

function addWhere(condition: string, others: readonly string[]): string[] {
  if (!/^(properties|traits|context)\.[^=]+=/.test(condition)) {
    throw new InvalidArgumentError("Write a path and its value, such as properties.plan=free.");
  }
  return [...others, condition];
}

function readVersion(): string {
  const about: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof about === "object" && about !== null && "version" in about
    ? String(about.version)
    : "unknown";
}
