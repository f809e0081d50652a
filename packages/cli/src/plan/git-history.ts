import { spawnSync } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { readGitEnvironment } from "../environment.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** The version of a file that came before it, or why there is none. */
export type Committed =
  | { readonly revision: string; readonly text: string; readonly why: undefined }
  | { readonly revision: undefined; readonly text: undefined; readonly why: string };

type GitAnswer =
  | { readonly text: string; readonly fault: undefined }
  | { readonly text: undefined; readonly fault: string };

/**
 * What git has of a file before its present content: HEAD's version, or when that is the present one, the version
 * before the last commit that changed it. Never throws.
 */
export function readCommitted(file: string, text: string): Committed {
  const dir = dirname(resolve(file));
  const path = `./${basename(file)}`;
  const shallow = askGit(dir, ["rev-parse", "--is-shallow-repository"]);
  if (shallow.fault !== undefined) return none(shallow.fault);
  const head = askGit(dir, ["cat-file", "blob", `HEAD:${path}`]);
  if (head.fault !== undefined) return none("it is not committed yet");
  if (unify(head.text) !== unify(text)) return { revision: "HEAD", text: head.text, why: undefined };

  const log = askGit(dir, ["log", "-n", "2", "--format=%H", "--", path]);
  const [, before] = log.text?.split("\n").filter((hash) => hash !== "") ?? [];
  if (before === undefined && shallow.text.trim() === "true")
    return none("git has the last commits only; fetch the whole history");
  if (before === undefined) return none("git has no earlier version of it");
  const older = askGit(dir, ["cat-file", "blob", `${before}:${path}`]);
  if (older.fault !== undefined) return none("the commit before removed it");
  return { revision: before.slice(0, 12), text: older.text, why: undefined };
}

/** A file's content at `REV:path`, as git writes it, or git's fault. Never throws. */
export function readRevision(name: string): GitAnswer {
  return askGit(process.cwd(), ["cat-file", "blob", name]);
}

function askGit(dir: string, args: readonly string[]): GitAnswer {
  const { status, error, stdout, stderr } = spawnSync("git", ["--literal-pathspecs", "-C", dir, ...args], {
    encoding: "utf8",
    maxBuffer: MAX_BYTES,
    env: readGitEnvironment(),
  });
  if (status === 0) return { text: stdout, fault: undefined };
  if (error !== undefined && "code" in error && error.code === "ENOENT")
    return { text: undefined, fault: "git is not installed" };
  const [line = ""] = (error?.message ?? stderr).split("\n");
  return { text: undefined, fault: line.replace(/^fatal: /, "") || "git failed" };
}

function none(why: string): Committed {
  return { revision: undefined, text: undefined, why };
}

/** git may have changed the line ends on their way to the work tree. */
function unify(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
