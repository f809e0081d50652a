/** Defines the commands, their options and their exit codes. */
import {
  type AskOptions,
  COULD_NOT,
  compare,
  type InspectOptions,
  inspect,
  Refused,
  readAddress,
  refuse,
  VERSION,
  WRITE_AN_ADDRESS,
} from "@candor/node/operator";
import { SOURCES } from "@candor/server";
import { Command, InvalidArgumentError, Option } from "commander";
import { explainRefusal } from "./collector.ts";
import { diagnose } from "./doctor.ts";
import { readCollectorUrl } from "./environment.ts";
import { type ExportOptions, exportStored } from "./export.ts";
import { type ForgetOptions, forget } from "./forget.ts";
import { type ImportOptions, importFile } from "./import.ts";
import { PRODUCT, printKeys } from "./keys.ts";
import { addPlanCommands } from "./plan/commands.ts";
import { type RebuildOptions, rebuild } from "./rebuild.ts";
import { runSql, type SqlOptions } from "./sql.ts";
import { start } from "./start.ts";
import { type TailOptions, tail } from "./tail.ts";
import { toFaultText } from "./terminal.ts";

const SETTINGS = `
Settings come from the environment:
  CANDOR_HOST, CANDOR_PORT     where to listen (127.0.0.1, 7226; port 0 takes any free one)
  CANDOR_DATA_DIR              folder for everything that Candor stores (./.candor)
  CANDOR_PLAN                  file of the plan (by default the Appsmith plan that comes with Candor);
                               with several products, a folder of plans, or files separated by commas
  CANDOR_WRITE_KEYS            installer:KEY,server:KEY,client:KEY (by default generated once);
                               with several products, product/source:KEY
  CANDOR_ADMIN_TOKEN           token of the read API (by default generated once)
  CANDOR_CLICKHOUSE_URL        a ClickHouse server, or one URL per node of a cluster (by default embedded)
  CANDOR_CLICKHOUSE_CLUSTER    name of the cluster
  CANDOR_TRUSTED_PROXIES       proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8
  CANDOR_ORIGINS               addresses that instances sign for, such as https://telemetry.example.org
  CANDOR_PUBLIC_STATS          smallest group that /stats publishes, such as 20 (by default nothing is)
  CANDOR_URL                   where tail, doctor, rebuild, compare and forget find a running Candor`;

const COLLECTOR =
  "the collector's address (default: CANDOR_URL, then the address that the instance sends to)";

/** Creates the program. `setExitCode` is called with the exit code of the command that ran. */
export function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command("candor")
    .description("Telemetry for software that other people host.")
    .version(VERSION)
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
    .description("show messages as they arrive, dropped ones included")
    .option("--source <source>", "only from installer, server or client")
    .option("--event <name>", "only this event")
    .option("--type <type>", "only track, identify, page, screen, group or alias")
    .option("--user <id>", "only from this userId")
    .option(
      "--where <path=value>",
      "only with this value, such as properties.plan=free; repeatable",
      addWhere,
      [],
    )
    .option(...PRODUCT)
    .option("--json", "one JSON object a line, for pipes")
    .action(async (options: TailOptions) => setExitCode(await orRefuse(tail(options))));
  program
    .command("doctor")
    .description("check the installation and say what to fix")
    .option("--json", "as JSON")
    .action(async (options: { json?: boolean }) => setExitCode(await diagnose(options)));
  addReportCommands(program, setExitCode);
  addFileCommands(program, setExitCode);
  addPlanCommands(program, setExitCode, orRefuse);
  addInstanceCommands(program, setExitCode);
  addForgetCommand(program, setExitCode);
  return program;
}

/** Adds the commands about what reports read. */
function addReportCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("rebuild")
    .description("rebuild the tables that reports read from the events, and compare them")
    .option("--month <month>", "only this month, such as 2026-01; repeatable", addMonth, [])
    .option("--check", "only compare: 0 if they are equal, 1 if they differ")
    .option(...PRODUCT)
    .option("--json", "as JSON")
    .action(async (options: RebuildOptions) => setExitCode(await orRefuse(rebuild(options))));
  program
    .command("sql")
    .description("run one query that only reads on what a running Candor has stored (docs/sql.md)")
    .argument("[query]", "a SELECT (default: read from standard input)")
    .addOption(new Option("--format <format>", "of the result").choices(["csv", "ndjson"]).default("csv"))
    .option(...PRODUCT)
    .action(async (query: string | undefined, options: SqlOptions) =>
      setExitCode(await orRefuse(runSql(query, options))),
    );
}

/** Adds the commands that move events between files and a collector. */
function addFileCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("export")
    .description("write the events that a running Candor has stored, newest first, or one of its reports")
    .argument("[file]", "the file to write (default: standard output)")
    .addOption(
      new Option("--format <format>", "default: as the file's name ends, else ndjson").choices([
        "ndjson",
        "csv",
        "parquet",
      ]),
    )
    .option("--from <time>", "not before this time of the events (RFC 3339); of a report, its first day")
    .option("--to <time>", "before this time; of a report, its last day")
    .option("--source <source>", "only from installer, server or client")
    .option("--event <name>", "only this event")
    .option(...PRODUCT)
    .option("--report <name>", "a report such as installs, instead of events (docs/reports.md)")
    .option("--table <name>", "a table of the report, such as errors (default: its main one)")
    .action(async (file: string | undefined, options: ExportOptions) =>
      setExitCode(await orRefuse(exportStored(file, options))),
    );
  program
    .command("import")
    .description("send a file of messages to a running Candor: its own export, or lines in Segment's form")
    .argument("[file]", "one JSON object a line (default: standard input)")
    .addOption(new Option("--source <source>", "of messages that do not name theirs").choices([...SOURCES]))
    .option(...PRODUCT)
    .action(async (file: string | undefined, options: ImportOptions) =>
      setExitCode(await orRefuse(importFile(file, options))),
    );
}

/** Adds the commands for the operator of an instance. */
function addInstanceCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("inspect")
    .description(
      "show what a product's telemetry keeps on this machine: answers, messages and what happened to them",
    )
    .argument("<dir>", "the product's state folder")
    .option("--json", "as JSON")
    .option("--limit <n>", "newest messages to show, 1 to 1000", toLimit, 20)
    .option(
      "--hash",
      "print the hash that replaces a user's id in messages; the id is read from standard input",
    )
    .action(async (dir: string, options: InspectOptions) => setExitCode(await inspect(dir, options)));
  program
    .command("compare")
    .description("compare what the collector stores about this instance with what was sent")
    .argument("<dir>", "the product's state folder")
    .option("--url <url>", COLLECTOR, toUrl)
    .option("--json", "as JSON, with every messageId")
    .action(async (dir: string, options: AskOptions) =>
      setExitCode(await orRefuse(compareFrom(dir, options))),
    );
}

/**
 * Runs the comparison with the collector at --url or CANDOR_URL; without either, with the one that the
 * instance sends to.
 * @throws CandorError `settings_invalid`
 */
async function compareFrom(dir: string, options: AskOptions): Promise<number> {
  return compare(dir, { ...options, url: options.url ?? readCollectorUrl() });
}

function toLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new InvalidArgumentError("Write 1 to 1000.");
  return limit;
}

function toUrl(text: string): string {
  const address = readAddress(text);
  if (address === undefined) throw new InvalidArgumentError(WRITE_AN_ADDRESS);
  return address;
}

function addForgetCommand(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("forget")
    .description("delete everything that a running Candor stores about an instance, a user or a contact")
    .option("--instance <id>", "everything that this instance sent")
    .option(
      "--user <id>",
      "everything of this userId, anonymousId or previousId, or of its hash (see inspect --hash)",
    )
    .option("--contact", "everything stored with an e-mail address, which is read from standard input")
    .option(
      "--state <dir>",
      "everything of the instance with this state folder, which signs the request with its own key",
    )
    .option("--url <url>", COLLECTOR, toUrl)
    .option(...PRODUCT)
    .option("--json", "print the deletion receipt as JSON")
    .action(async (options: ForgetOptions) => setExitCode(await orRefuse(forget(options))));
}

function addWhere(condition: string, others: readonly string[]): string[] {
  if (!/^(properties|traits|context)\.[^=]+=/.test(condition)) {
    throw new InvalidArgumentError("Write a path and its value, such as properties.plan=free.");
  }
  return [...others, condition];
}

function addMonth(month: string, others: readonly string[]): string[] {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new InvalidArgumentError("Write a month such as 2026-01.");
  return [...others, month];
}

/** Runs a command that asks a collector. If it fails, prints why and resolves to 2. Never rejects. */
async function orRefuse(asking: Promise<number>): Promise<number> {
  try {
    return await asking;
  } catch (error) {
    return refuse(error instanceof Refused ? explainRefusal(error) : toFaultText(error));
  }
}
