import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeRigFolder } from "./child.ts";

/** What a child is run by so that it, and nobody else, sees the machine otherwise. Needs root. */
type Under = readonly string[];

/** An /etc of these files alone: paths in it, and texts. The machine's own stays as it is. */
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
