/** For tests: the shells that the kit must run in. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A shell that install scripts are run by, with the name or path it is started under. */
export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What its tests need, as scripts/programs.mjs says. */
  readonly tags: string[];
}

export const SHELLS: readonly Shell[] = [
  { name: "dash", command: ["dash"], tags: ["dash"] },
  { name: "bash", command: ["bash"], tags: ["bash"] },
  { name: "bash in POSIX mode", command: ["bash", "--posix"], tags: ["bash"] },
  { name: "busybox", command: ["busybox", "sh"], tags: ["busybox"] },
  { name: "zsh as sh", command: ["zsh", "--emulate", "sh"], tags: ["zsh"] },
];

/** The command that starts it, by its path. */
export function commandOf({ command: [program, ...flags] }: Shell): [program: string, ...flags: string[]] {
  return [findProgram(program) ?? program, ...flags];
}

/** Runs a script with these arguments. Its environment is the path and what is given. */
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

/** The path of a program; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  // biome-ignore lint/style/noProcessEnv: the rig runs what the machine has
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The interpreter itself: `python3` on the path may be a script that looks for it, and needs other programs. */
export function findPython(): string {
  const asked = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return asked.stdout?.trim() || "python3";
}
