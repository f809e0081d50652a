// Lists what tests need besides Node. Each need is a tag, which a test names with `{ tags: ["git"] }`
// and a file with `// @module-tag git`.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { findNodeRed } from "./npm-cache.mjs";

/** The programs that a tag requires, for tags that are not themselves the name of a program. */
const PROGRAMS = {
  "posix-tools": ["awk", "find", "grep", "kill", "sed"],
  mounts: ["mount", "umount", "unshare"],
  docker: ["dockerd", "docker", "docker-compose", "debootstrap", "sudo", "tcpdump", "unshare", "python3"],
  firefox: ["firefox-esr"],
  linux: [],
  root: [],
  webkit: ["WebKitWebDriver", "Xvfb"],
};

/** The tags whose tests need the rights of root. */
const AS_ROOT = ["root", "docker"];

const TAGS = [
  "posix-tools",
  "bash",
  "busybox",
  "caddy",
  "chromium",
  "curl",
  "dash",
  "docker",
  "firefox",
  "flock",
  "git",
  "linux",
  "nginx",
  "node-red",
  "python3",
  "shellcheck",
  "webkit",
  "wget",
  "zsh",
  "root",
  "ip",
  "mounts",
  "setpriv",
  "strace",
];

/** The tags for vitest's configuration. vitest rejects any other tag. */
export const tags = TAGS.map((name) => ({ name }));

/**
 * Tags whose tests cannot run on this machine. In CI, `npm test` fails if there are any,
 * and names what is missing.
 */
export function missingTags() {
  return TAGS.filter((tag) => !isThere(tag));
}

function isThere(tag) {
  if (AS_ROOT.includes(tag) && process.getuid?.() !== 0) return false;
  if (tag === "linux") return process.platform === "linux";
  if (tag === "node-red") return findNodeRed() !== undefined; // `node scripts/npm-cache.mjs` fetches it
  return (PROGRAMS[tag] ?? [tag]).every((program) => findProgram(program) !== undefined);
}

/** The path of an executable program, as a shell would find it; undefined if there is none. */
export function findProgram(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
