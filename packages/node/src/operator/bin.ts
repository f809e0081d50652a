#!/usr/bin/env node
/** The package's own program for operators: parses the arguments of `npx @candor/node`. */
import { env } from "node:process";
import { parseArgs } from "node:util";
import { VERSION } from "../version.ts";
import { readAddress, WRITE_AN_ADDRESS } from "./collector.ts";
import { compare } from "./compare.ts";
import { forgetInstance } from "./forget.ts";
import { inspect } from "./inspect.ts";
import type { AskOptions } from "./own-instance.ts";
import { print, refuse, toSafeText } from "./terminal.ts";

const USAGE = `Says what a product's telemetry holds on this machine. Write one of

  npx @candor/node inspect DIR   the answers, what may be sent, the messages and what became of them
  npx @candor/node compare DIR   whether the collector holds of this instance what was sent, and nothing else
  npx @candor/node forget DIR    has the collector delete all that it holds of this instance

DIR is the product's state folder, the one with receipts.ndjson in it.

  --json       print JSON
  --limit N    inspect: newest messages to show, 1 to 1000; 20 when not given
  --hash       inspect: print what stands for a user's id in messages; the id is read from standard input
  --url URL    compare, forget: the collector's address; else CANDOR_URL, else where the instance itself sends to
  --help, --version

It ends with 0; compare with 1 when something is missing or differs; with 2 when it could not do what was asked.
`;
const MOST_MESSAGES = 1000;
/**
 * After a command has finished, anything that keeps the process alive, such as a socket, gets this much time.
 */
const LINGER_MS = 300;

const json = { type: "boolean" } as const;
const COMMANDS: { readonly [name: string]: (args: readonly string[]) => Promise<number> } = {
  inspect: async (args) => {
    const options = { json, limit: { type: "string" }, hash: { type: "boolean" } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const { limit: written = "20", ...others } = values;
    const limit = Number(written);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_MESSAGES)
      throw new WrittenWrongly(`--limit ${written}: write 1 to ${MOST_MESSAGES}.`);
    return inspect(toFolder(positionals), { ...others, limit });
  },
  compare: async (args) => compare(...readQuestion(args)),
  forget: async (args) => forgetInstance(...readQuestion(args)),
};

class WrittenWrongly extends Error {}

/** Parses the arguments of `compare` and `forget`. The URL comes from `--url`, otherwise from CANDOR_URL. */
function readQuestion(args: readonly string[]): [folder: string, options: AskOptions] {
  const options = { json, url: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const folder = toFolder(positionals);
  const { CANDOR_URL: set = "" } = env;
  const [name, written] = values.url === undefined ? ["CANDOR_URL", set] : ["--url", values.url];
  if (name === "CANDOR_URL" && written === "") return [folder, { json: values.json }];
  const url = readAddress(written);
  if (url === undefined) throw new WrittenWrongly(`${name} ${written}: ${WRITE_AN_ADDRESS}`);
  return [folder, { json: values.json, url }];
}

function toFolder([folder, ...others]: readonly string[]): string {
  if (folder === undefined || others.length > 0)
    throw new WrittenWrongly("Give one folder: the product's state folder.");
  return folder;
}

/** Runs a command, or explains how to call the program. @returns the exit status */
async function run([name = "", ...args]: readonly string[]): Promise<number> {
  if ([name, ...args].some((word) => word === "--help" || word === "-h")) return tell(USAGE);
  if (name === "--version") return tell(`${VERSION}\n`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    return refuse(name === "" ? USAGE : `No command "${toSafeText(name)}".\n\n${USAGE}`);
  try {
    return await command(args);
  } catch (error) {
    const [fault = ""] = String(error instanceof Error ? error.message : error).split(". To specify");
    if (isWrittenWrongly(error)) return refuse(`${toSafeText(fault)}\n\n${USAGE}`);
    return refuse(toSafeText(error instanceof Error ? (error.stack ?? fault) : fault));
  }
}

function isWrittenWrongly(error: unknown): boolean {
  if (error instanceof WrittenWrongly) return true;
  return error instanceof TypeError && "code" in error && /^ERR_PARSE_ARGS_/.test(String(error.code));
}

async function tell(text: string): Promise<number> {
  await print(text);
  return 0;
}

process.exitCode = await run(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();
