import { existsSync } from "node:fs";

/** A shell that install scripts are run by, with the name or path it is started under. */
export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const SHELLS: readonly Shell[] = [
  { name: "dash", command: ["dash"] },
  { name: "bash", command: ["bash"] },
  { name: "bash in POSIX mode", command: ["bash", "--posix"] },
  { name: "busybox", command: ["busybox", "sh"] },
  { name: "zsh as sh", command: ["zsh", "--emulate", "sh"] },
];

const FOLDERS: readonly string[] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** The path of a program of the system; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

/** The shells of this machine. `all`: none may be missing (in CI nothing is skipped). */
export function findShells(all: boolean): readonly Shell[] {
  const missing = SHELLS.filter(({ command }) => findProgram(command[0]) === undefined);
  if (all && missing.length > 0) {
    throw new Error(`not installed: ${missing.map(({ command }) => command[0]).join(", ")}`);
  }
  return SHELLS.filter((shell) => !missing.includes(shell));
}
