// What tests need of a machine beside Node: each a tag of tests, `{ tags: ["git"] }` or `// @module-tag git` in a file.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs by tag, where they are not called as the tag is. */
const PROGRAMS = {
  "posix-tools": ["awk", "find", "grep", "kill", "sed"],
  mounts: ["mount", "umount", "unshare"],
};

const TAGS = [
  "posix-tools",
  "bash",
  "busybox",
  "curl",
  "dash",
  "flock",
  "git",
  "python3",
  "shellcheck",
  "wget",
  "zsh",
  "root",
  "ip",
  "mounts",
  "setpriv",
  "strace",
];

/** For the configuration of vitest, which refuses a tag that is not among them. */
export const tags = TAGS.map((name) => ({ name }));

/** Tags whose tests cannot run on this machine. In CI all must run: `npm test` says there what is missing. */
export function missingTags() {
  return TAGS.filter((tag) =>
    tag === "root" ? process.getuid?.() !== 0 : !(PROGRAMS[tag] ?? [tag]).every(isOnPath),
  );
}

function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
