/** Reads the earlier versions of a plan's file from git. */
import { spawnSync } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { readGitEnvironment } from "../environment.ts";

const MAX_BYTES = 64 * 1024 * 1024;
/** At most this many of the newest commits that changed the file are read. */
export const MAX_COMMITS = 200;

/** A commit that changed the plan's file. */
export interface PlanCommit {
  /** `HEAD` for the newest of these commits; for any other, the first twelve hex digits of its hash. */
  readonly revision: string;
  /**
   * The plan's version, even if the plan can no longer be loaded. Undefined if no line of the file states it.
   */
  readonly version: number | undefined;
  /** Returns the file as of this commit; undefined if the commit removed the file, or if git fails. */
  read(): string | undefined;
}

export interface FileHistory {
  /** The commits, newest first, at most MAX_COMMITS. */
  readonly commits: readonly PlanCommit[];
  /**
   * Why the list has no older commits: the history begins there, the clone is shallow, or there are more than
   * MAX_COMMITS.
   */
  readonly end: "first" | "shallow" | "limit";
}

type Answer<Value> =
  | { readonly value: Value; readonly fault: undefined }
  | { readonly value: undefined; readonly fault: string };

/** Returns the history of a plan's file in git, or why it cannot be read. Never throws. */
export function readHistory(file: string): Answer<FileHistory> {
  const dir = dirname(resolve(file));
  const path = `./${basename(file)}`;
  const shallow = askGit(dir, ["rev-parse", "--is-shallow-repository"]);
  if (shallow.fault !== undefined) return shallow;
  const log = askGit(dir, ["log", "-n", String(MAX_COMMITS + 1), "--format=%H", "--", path]);
  const hashes = log.value?.split("\n").filter((hash) => hash !== "") ?? [];
  if (hashes.length === 0) return { value: undefined, fault: "it is not committed yet" };
  const shown = hashes.slice(0, MAX_COMMITS);
  const { value: versions, fault } = readVersions(dir, path, shown);
  if (versions === undefined) return { value: undefined, fault };
  const end = hashes.length > MAX_COMMITS ? "limit" : shallow.value.trim() === "true" ? "shallow" : "first";
  const commits = shown.map((hash, index) => ({
    revision: index === 0 ? "HEAD" : hash.slice(0, 12),
    version: versions.get(hash),
    read: () => askGit(dir, ["cat-file", "blob", `${hash}:${path}`]).value,
  }));
  return { value: { commits, end }, fault: undefined };
}

/** Matches the line of a plan's version, as an extended regular expression. */
const VERSION_LINE = `^["']?version["']?[[:space:]]*:`;
/** Matches what `git grep -z` writes for a commit: the hash, the path, a zero byte, and the line. */
const FOUND_LINE = /^([0-9a-f]{40,64}):[^\0]*\0[^:]*:\s*(\d+)/gm;
/** The exit status of `git grep` if no line matches. */
const NONE_FOUND = 1;

/**
 * Returns the plan's version at each commit whose file states one. One git process searches all commits,
 * because a process for each commit would take seconds.
 */
function readVersions(
  dir: string,
  path: string,
  hashes: readonly string[],
): Answer<ReadonlyMap<string, number>> {
  const form = ["-z", "-a", "-E", "--no-color", "--no-line-number", "--no-column"];
  const found = askGit(dir, ["grep", ...form, "-e", VERSION_LINE, ...hashes, "--", path], NONE_FOUND);
  if (found.fault !== undefined) return found;
  const lines = [...found.value.matchAll(FOUND_LINE)];
  return {
    value: new Map(lines.map(([, hash = "", version]) => [hash, Number(version)])),
    fault: undefined,
  };
}

/** Reads a file at `REV:path`, as git writes it, or returns git's message. Never throws. */
export function readRevision(name: string): Answer<string> {
  return askGit(process.cwd(), ["cat-file", "blob", name]);
}

/**
 * Runs git in a folder. Returns its output, or a line that says why it failed.
 * @param empty an exit status that means that there is no output, and not that the command failed
 */
function askGit(dir: string, args: readonly string[], empty = 0): Answer<string> {
  const { status, error, stdout, stderr } = spawnSync("git", ["--literal-pathspecs", "-C", dir, ...args], {
    encoding: "utf8",
    maxBuffer: MAX_BYTES,
    env: readGitEnvironment(),
  });
  if (status === 0 || (status === empty && stderr === "")) return { value: stdout, fault: undefined };
  if (error !== undefined && "code" in error && error.code === "ENOENT")
    return { value: undefined, fault: "git is not installed" };
  const [line = ""] = (error?.message ?? stderr).split("\n");
  return { value: undefined, fault: line.replace(/^fatal: /, "") || "git failed" };
}

/**
 * Compares two texts except for line endings, which git may change between the repository and the work tree.
 */
export function isSameText(a: string, b: string): boolean {
  return a.replaceAll("\r\n", "\n") === b.replaceAll("\r\n", "\n");
}
