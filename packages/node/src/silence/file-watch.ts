import fs, { constants, fstatSync, lstatSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isUint8Array } from "node:util/types";
import type { Report } from "./happening.ts";
import type { Patches } from "./patches.ts";

/** A function that changes a path, and at which place of its arguments that stands. */
const WRITERS: readonly (readonly [name: string, place: number])[] = [
  ["appendFile", 0],
  ["chmod", 0],
  ["chown", 0],
  ["copyFile", 1],
  ["cp", 1],
  ["lchmod", 0],
  ["lchown", 0],
  ["link", 1],
  ["lutimes", 0],
  ["mkdtemp", 0],
  ["rename", 1],
  ["symlink", 1],
  ["truncate", 0],
  ["utimes", 0],
  ["writeFile", 0],
];
const DELETERS = ["rename", "rm", "rmdir", "unlink"];
/** They take a descriptor. */
const DESCRIPTOR_WRITERS = ["fchmod", "fchown", "ftruncate", "futimes", "write", "writev"];
const WRITE_FLAGS =
  constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
const LAST_STANDARD_STREAM = 2;

/**
 * Reports files and folders that are made, changed or deleted with node:fs: by callback, synchronously, by promise, and by
 * stream. What is not there cannot be deleted, and what is there cannot be made: that is no change.
 */
export function watchFiles(report: Report, patches: Patches): void {
  const watch = (
    name: string,
    look: (args: readonly unknown[], at: () => string | undefined) => void,
  ): void => {
    patches.before(fs, name, (_self, args, at) => look(args, at));
    patches.before(fs, `${name}Sync`, (_self, args, at) => look(args, at));
    patches.before(fs.promises, name, (_self, args, at) => look(args, at));
  };
  for (const [name, place] of WRITERS) {
    watch(name, (args, at) => {
      const path = toPath(args[place]);
      if (path !== undefined) report("write", path, at);
    });
  }
  for (const name of DELETERS) {
    watch(name, ([given], at) => {
      const path = toPath(given);
      if (path !== undefined && isThere(path)) report("delete", path, at);
    });
  }
  for (const name of DESCRIPTOR_WRITERS) {
    watch(name, ([given], at) => {
      const path = toPath(given);
      if (path !== undefined) report("write", path, at);
    });
  }
  watch("mkdir", ([given], at) => {
    const path = toPath(given);
    if (path !== undefined && !isThere(path)) report("write", path, at);
  });
  watch("open", ([given, flags], at) => {
    const path = toPath(given);
    if (path !== undefined && isForWriting(flags)) report("write", path, at);
  });
}

/** `r` and `rs` are for reading; so is what is left out, where a callback or a mode stands. */
function isForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & WRITE_FLAGS) !== 0;
  return typeof flags === "string" && flags !== "r" && flags !== "rs" && flags !== "sr";
}

/** The whole path of what a function of node:fs is given: path, URL, descriptor or file handle. Undefined: no file. */
function toPath(given: unknown): string | undefined {
  if (typeof given === "number") return toPathOfDescriptor(given);
  if (typeof given === "string") return resolve(given);
  if (isUint8Array(given)) return resolve(Buffer.from(given).toString());
  if (typeof given === "object" && given !== null && "href" in given) return fileURLToPath(String(given));
  const isHandle = typeof given === "object" && given !== null && "fd" in given;
  return isHandle && typeof given.fd === "number" ? toPathOfDescriptor(given.fd) : undefined;
}

/** Of a file that is open. Only Linux says it; elsewhere the opening was reported, unless it was before. */
function toPathOfDescriptor(fd: number): string | undefined {
  if (fd <= LAST_STANDARD_STREAM || !fstatSync(fd).isFile()) return undefined;
  return readlinkSync(`/proc/self/fd/${fd}`);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
