/** For tests: runs a child with its own mounts. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeRigFolder } from "./child.ts";

/** A command that runs a child with its own view of the file system. Needs root. */
type Under = readonly string[];

/**
 * Gives the child an /etc that contains only these files, by their paths below /etc, and the linker cache.
 * The machine's /etc is not changed.
 */
export function withOwnEtc(files: Readonly<Record<string, string>>): Under {
  const etc = makeRigFolder();
  if (existsSync("/etc/ld.so.cache")) cpSync("/etc/ld.so.cache", join(etc, "ld.so.cache"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(etc, path)), { recursive: true });
    writeFileSync(join(etc, path), text);
  }
  return inOwnMounts(`mount --bind ${etc} /etc`);
}

/** Makes a folder read-only for the child. */
export function withReadOnly(folder: string): Under {
  return inOwnMounts(`mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder}`);
}

function inOwnMounts(mounts: string): Under {
  return ["unshare", "--mount", "sh", "-c", `${mounts} && exec "$@"`, "sh"];
}
