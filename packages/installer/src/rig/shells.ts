/** For tests: the shells that the kit must run in. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A shell that runs install scripts, and the command that starts it. */
export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The programs that the shell's tests need, as tags of scripts/programs.mjs. */
  readonly tags: string[];
}

export const SHELLS: readonly Shell[] = [
  { name: "dash", command: ["dash"], tags: ["dash"] },
  { name: "bash", command: ["bash"], tags: ["bash"] },
  { name: "bash in POSIX mode", command: ["bash", "--posix"], tags: ["bash"] },
  { name: "busybox", command: ["busybox", "sh"], tags: ["busybox"] },
  { name: "zsh as sh", command: ["zsh", "--emulate", "sh"], tags: ["zsh"] },
];

/** Returns the command that starts the shell, with the program's path. */
export function commandOf({ command: [program, ...flags] }: Shell): [program: string, ...flags: string[]] {
  return [findProgram(program) ?? program, ...flags];
}

/** Runs a script with these arguments. Its environment is PATH and the given variables. */
export function runScript(
  shell: Shell,
  script: string,
  args: readonly string[],
  options: { encoding?: "utf8" | "latin1"; environment?: Readonly<Record<string, string>> } = {},
): { readonly stdout: string; readonly stderr: string } {
  const [program, ...flags] = commandOf(shell);
  return spawnSync(program, [...flags, "-c", script, "sh", ...args], {
    encoding: options.encoding ?? "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    // biome-ignore lint/style/noProcessEnv: the rig runs what the machine has
    env: { PATH: process.env.PATH, ...options.environment },
  });
}

/** Returns the path of a program; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  // biome-ignore lint/style/noProcessEnv: the rig runs what the machine has
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Returns the path of the Python interpreter itself, because `python3` on the PATH may be a script that looks
 * for the interpreter and needs other programs. Returns `python3` if that does not tell the path.
 */
export function findPython(): string {
  const asked = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return asked.stdout?.trim() || "python3";
}
