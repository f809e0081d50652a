/** For tests: runs a child with mounts of its own. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeRigFolder } from "./child.ts";

/** What a child runs under to see another file system than everybody else. Needs root. */
type Under = readonly string[];

/** An /etc with only these files: paths in it, and texts. The machine's own is not changed. */
export function withOwnEtc(files: Readonly<Record<string, string>>): Under {
  const etc = makeRigFolder();
  if (existsSync("/etc/ld.so.cache")) cpSync("/etc/ld.so.cache", join(etc, "ld.so.cache"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(etc, path)), { recursive: true });
    writeFileSync(join(etc, path), text);
  }
  return inOwnMounts(`mount --bind ${etc} /etc`);
}

/** A folder that cannot be written to. */
export function withReadOnly(folder: string): Under {
  return inOwnMounts(`mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder}`);
}

function inOwnMounts(mounts: string): Under {
  return ["unshare", "--mount", "sh", "-c", `${mounts} && exec "$@"`, "sh"];
}
