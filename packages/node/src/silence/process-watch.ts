import childProcess, { ChildProcess } from "node:child_process";
import { isRecord } from "../json.ts";
import type { Report } from "./happening.ts";
import type { Patches } from "./patches.ts";

/** Reports child processes: what they do cannot be seen from here. */
export function watchProcesses(report: Report, patches: Patches): void {
  // What spawn, exec, execFile and fork all end in. Node's types do not show it.
  patches.before(ChildProcess.prototype, "spawn", (_self, [options], at) => {
    if (isRecord(options)) report("process", String(options.file), at);
  });
  for (const name of ["spawnSync", "execFileSync", "execSync"]) {
    patches.before(childProcess, name, (_self, [command], at) => {
      report("process", String(command), at);
    });
  }
}
