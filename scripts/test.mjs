// Every test: `npm test`, or `npm test -- <vitest arguments>` for some of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare, root, tool } from "./prepare.mjs";

/** Groups of tests, and what each needs beside Node: the programs that must be on the path. */
const GROUPS = [
  { name: "unit", needs: [] },
  { name: "rig", needs: [] },
  { name: "system", needs: ["strace", "mount", "unshare", "setpriv", "ip"], isRoot: true },
];

prepare();
const missing = new Map(GROUPS.map((group) => [group.name, lacks(group)]));
const runs = GROUPS.filter((group) => missing.get(group.name).length === 0);
const skipped = GROUPS.filter((group) => missing.get(group.name).length > 0);

const dir = mkdtempSync(join(tmpdir(), "candor-test-"));
const report = join(dir, "report.json");
const projects = runs.flatMap(({ name }) => ["--project", name]);
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const { status } = spawnSync(tool("vitest"), ["run", ...projects, ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
const counts = readCounts();
rmSync(dir, { recursive: true });

for (const { name } of skipped)
  console.log(`Group ${name} did not run: it needs ${missing.get(name).join(", ")}.`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + skipped.length} skipped`);
const isIncomplete = process.env.CI === "true" && (skipped.length > 0 || counts.skipped > 0);
if (isIncomplete) console.error("In CI a skipped test is a failure.");
process.exit(status !== 0 || counts.passed === 0 || isIncomplete ? 1 : 0);

function lacks({ needs, isRoot }) {
  const programs = needs.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
  return isRoot && process.getuid?.() !== 0 ? [...programs, "root"] : programs;
}

function readCounts() {
  try {
    const result = JSON.parse(readFileSync(report, "utf8"));
    const skippedTests = result.numPendingTests + result.numTodoTests;
    return { passed: result.numPassedTests, failed: result.numFailedTests, skipped: skippedTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
