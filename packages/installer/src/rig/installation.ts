/** For tests: prepares and runs an install script with the kit in a given shell. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { commandOf, findProgram, findPython, type Shell } from "./shells.ts";
import { type TableName, tables } from "./tables.ts";

/** Path of the Python interpreter, looked up once when it is first needed. */
let python: string | undefined;

const KIT = fileURLToPath(new URL("../../candor.sh", import.meta.url));
/** The compact kit, which makers insert into a script that is piped into sh. */
const COMPACT_KIT = fileURLToPath(new URL("../../candor.compact.sh", import.meta.url));
const TERMINAL = fileURLToPath(new URL("terminal.py", import.meta.url));

/** The programs that the kit and the test scripts need, except those that send. */
const PROGRAMS =
  "awk cat chmod cp date env false find grep head kill ln ls mkdir mktemp mv od paste rm sed sh sleep stty tail timeout touch tr true uname wc";

/** The program that is available for sending. `busybox`: all programs are busybox's, as on Alpine. */
export type Sender = "curl" | "wget" | "busybox" | "none";

/** A machine's folder, with a script that installs something into `opt/`. */
export interface Installation {
  /** Path of the folder, whose name contains spaces and a quote. */
  readonly folder: string;
  /** Runs the script without a terminal. Resolves once no process has the output open any more. */
  run(): Promise<Outcome>;
  /** Runs the script in a terminal. */
  runInTerminal(dialog: Dialog, how?: Way): Promise<TerminalOutcome>;
  /**
   * Runs the script with another command, such as `unshare`, whose last arguments are the shell and the
   * script.
   */
  runBy(command: readonly [string, ...string[]]): Promise<Outcome>;
  /** Returns the text of a file below the folder; undefined if there is no such file. */
  read(name: string): string | undefined;
  /**
   * Returns the paths of all files below a folder, relative to it and sorted; empty if there is no such
   * folder.
   */
  list(name: string): readonly string[];
  /** Whether any process has the folder as its working directory. */
  isAtWork(): boolean;
  /** Resolves once no process has the folder as its working directory any more. */
  rest(): Promise<void>;
  remove(): void;
}

/**
 * `piped`: table, kit and script are one file, which the shell reads from stdin, as with `curl | sh`.
 * `in background`: the script runs as a background job of another shell.
 */
export type Way = "alone" | "piped" | "in background";

export interface Outcome {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Pairs of a text to wait for in the output and the text to type then. */
export type Dialog = readonly (readonly [wanted: string, typed: string])[];

export interface TerminalOutcome {
  /** The exit status, or the negative number of the signal that ended the process. */
  readonly status: number;
  readonly output: string;
  /** The part of the dialog that did not take place. */
  readonly unasked: Dialog;
}

export interface Machine {
  readonly shell: Shell;
  /** Default: `first`. */
  readonly table?: TableName;
  /** The lines of the maker's script that follow the sourcing of the kit. */
  readonly script: string;
  readonly url: string;
  /** Default: `curl`. */
  readonly sender?: Sender;
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Text of files that exist before the run, by path below the folder. An empty `opt/docker.env` exists
   * unless it is given here.
   */
  readonly files?: Readonly<Record<string, string>>;
}

export function prepareInstallation(machine: Machine): Installation {
  const folder = join(mkdtempSync(join(tmpdir(), "candor-installer-")), "it's $HOME & co");
  mkdirSync(join(folder, "opt"), { recursive: true });
  const programs = join(folder, "bin");
  linkPrograms(programs, machine.sender ?? "curl");
  for (const [name, text] of Object.entries({ "opt/docker.env": "", ...machine.files })) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text, "latin1");
  }
  const script = join(folder, "install.sh");
  const table = tables[machine.table ?? "first"];
  writeFileSync(join(folder, "table.sh"), table);
  const [settings, calls] = writeScript(machine);
  writeFileSync(script, `${settings}. ./table.sh\n. '${KIT}'\n${calls}`);
  writeFileSync(
    join(folder, "inlined.sh"),
    `${settings}${table}\n${readFileSync(COMPACT_KIT, "utf8")}\n${calls}`,
  );
  const environment = { PATH: programs, HOME: join(folder, "home"), ...machine.environment };
  const command = commandOf(machine.shell);
  const runAll = ([first = "", ...others]: readonly string[]): Promise<Outcome> =>
    finish(
      spawn(first, others, {
        cwd: folder,
        env: environment,
        detached: true, // without a terminal, and in its own process group
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  return {
    folder,
    run: () => runAll([...command, script]),
    runBy: ([by, ...flags]) => runAll([findProgram(by) ?? by, ...flags, ...command, script]),
    runInTerminal: async (dialog, how = "alone") => {
      const bash = findProgram("bash") ?? "bash";
      const typed = {
        alone: [...command, script],
        piped: ["sh", "-c", `cat inlined.sh | ${command.map(quote).join(" ")}`],
        "in background": [bash, "-c", 'set -m; "$@" & exec 2>/dev/null; wait $!', bash, ...command, script],
      }[how];
      python ??= findPython();
      const child = spawn(python, [TERMINAL, ...typed], { cwd: folder, env: environment });
      child.stdin.end(JSON.stringify(dialog));
      const { stdout, stderr } = await finish(child);
      if (stdout === "") throw new Error(`the terminal failed: ${stderr}`);
      const outcome: TerminalOutcome = JSON.parse(stdout);
      return { ...outcome, output: outcome.output.replaceAll("\r\n", "\n") };
    },
    read: (name) => readOrNothing(join(folder, name)),
    list: (name) => listFiles(join(folder, name)),
    isAtWork: () => worksIn(folder),
    rest: () => waitForRest(folder),
    remove: () => rmSync(join(folder, ".."), { recursive: true, force: true }),
  };
}

/** Collects a process's output until the process has ended and no other process has the output open. */
async function finish(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status, signal]: unknown[] = await once(child, "close");
  return { status: typeof status === "number" ? status : (String(signal) as NodeJS.Signals), stdout, stderr };
}

/** Returns the parts of the script before and after the kit. */
function writeScript({ script, url }: Machine): readonly [settings: string, calls: string] {
  const settings = `set -eu
here=$PWD
TELEMETRY_URL='${url}'
TELEMETRY_WRITE_KEY='key_"1"'
TELEMETRY_PAGE=https://example.com/telemetry
TELEMETRY_STATE_DIR=$here/opt/telemetry
TELEMETRY_DOCKER_ENV=$here/opt/docker.env
`;
  return [settings, `kit_policy_file=$here/policy kit_os_file=$here/os-release\n${script}\n`];
}

function linkPrograms(folder: string, sender: Sender): void {
  mkdirSync(folder);
  const senders = sender === "busybox" ? ["wget"] : sender === "none" ? [] : [sender];
  for (const name of [...PROGRAMS.split(" "), ...senders]) {
    const path = findProgram(sender === "busybox" ? "busybox" : name);
    if (path === undefined) throw new Error(`not installed: ${name}`);
    symlinkSync(path, join(folder, name));
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function listFiles(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(path, name)).isFile())
      .sort();
  } catch {
    return [];
  }
}

const REST_POLL_MS = 20;

async function waitForRest(folder: string): Promise<void> {
  while (worksIn(folder)) await sleep(REST_POLL_MS);
}

function worksIn(folder: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });
}
