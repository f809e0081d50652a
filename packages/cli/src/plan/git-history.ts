/** Owns what the command line asks git: the earlier versions of a plan's file. */
import { spawnSync } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { readGitEnvironment } from "../environment.ts";

const MAX_BYTES = 64 * 1024 * 1024;
/** How many commits that changed the file are looked at, newest first. */
export const MAX_COMMITS = 200;

/** A file as a commit left it. */
export interface Committed {
  /** Twelve hex digits of the commit, or `HEAD`. */
  readonly revision: string;
  readonly text: string;
}

export interface FileHistory {
  /** What commits made of the file, newest first, at most MAX_COMMITS. Each is read when it is asked for. */
  readonly versions: Iterable<Committed>;
  /** Why there are no older ones: the history begins there, the clone is shallow, or there are too many. */
  readonly end: "first" | "shallow" | "limit";
}

type Answer<Value> =
  | { readonly value: Value; readonly fault: undefined }
  | { readonly value: undefined; readonly fault: string };

/** The history of a file in git, or why it cannot be read. Never throws. */
export function readHistory(file: string): Answer<FileHistory> {
  const dir = dirname(resolve(file));
  const path = `./${basename(file)}`;
  const shallow = askGit(dir, ["rev-parse", "--is-shallow-repository"]);
  if (shallow.fault !== undefined) return shallow;
  const log = askGit(dir, ["log", "-n", String(MAX_COMMITS + 1), "--format=%H", "--", path]);
  const commits = log.value?.split("\n").filter((hash) => hash !== "") ?? [];
  if (commits.length === 0) return { value: undefined, fault: "it is not committed yet" };
  const shown = commits.slice(0, MAX_COMMITS);
  const end = commits.length > MAX_COMMITS ? "limit" : shallow.value.trim() === "true" ? "shallow" : "first";
  return { value: { versions: readVersions(dir, path, shown), end }, fault: undefined };
}

function* readVersions(dir: string, path: string, commits: readonly string[]): Generator<Committed> {
  for (const [index, hash] of commits.entries()) {
    const { value: text } = askGit(dir, ["cat-file", "blob", `${hash}:${path}`]);
    if (text === undefined) continue; // the commit removed the file
    const isHead = index === 0 && askGit(dir, ["cat-file", "blob", `HEAD:${path}`]).value === text;
    yield { revision: isHead ? "HEAD" : hash.slice(0, 12), text };
  }
}

/** A file's content at `REV:path`, as git writes it, or git's message. Never throws. */
export function readRevision(name: string): Answer<string> {
  return askGit(process.cwd(), ["cat-file", "blob", name]);
}

function askGit(dir: string, args: readonly string[]): Answer<string> {
  const { status, error, stdout, stderr } = spawnSync("git", ["--literal-pathspecs", "-C", dir, ...args], {
    encoding: "utf8",
    maxBuffer: MAX_BYTES,
    env: readGitEnvironment(),
  });
  if (status === 0) return { value: stdout, fault: undefined };
  if (error !== undefined && "code" in error && error.code === "ENOENT")
    return { value: undefined, fault: "git is not installed" };
  const [line = ""] = (error?.message ?? stderr).split("\n");
  return { value: undefined, fault: line.replace(/^fatal: /, "") || "git failed" };
}

/** git may change line ends between the repository and the work tree. */
export function isSameText(a: string, b: string): boolean {
  return a.replaceAll("\r\n", "\n") === b.replaceAll("\r\n", "\n");
}
