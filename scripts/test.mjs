// Runs every test that this machine can run: `npm test`. For some of them: `npm test -- <vitest arguments>`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare, root, tool } from "./prepare.mjs";
import { missingTags } from "./programs.mjs";
import { describeRows } from "./rows.mjs";

prepare();
const missing = missingTags();
const isCi = process.env.CI === "true";
if (isCi && missing.length > 0) {
  console.error(`In CI every test runs, and this machine has no ${missing.join(", ")}.`);
  process.exit(1);
}

const dir = mkdtempSync(join(tmpdir(), "candor-test-"));
const report = join(dir, "report.json");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const filters = missing.map((tag) => `--tags-filter=!${tag}`);
const { status } = spawnSync(tool("vitest"), ["run", ...reporters, ...filters, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
const counts = readCounts();
rmSync(dir, { recursive: true });

if (counts.leftOut.length > 0) {
  const needs = counts.leftOut.map(([tag, count]) => `${tag} (${count})`).join(", ");
  console.log(`${counts.skipped} tests were left out, for what this machine does not have: ${needs}.`);
}
if (counts.rows !== undefined) console.log(counts.rows);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
const isIncomplete = isCi && counts.skipped > 0;
if (isIncomplete) console.error("In CI a skipped test is a failure.");
process.exit(status !== 0 || counts.passed === 0 || isIncomplete ? 1 : 0);

function readCounts() {
  try {
    const result = JSON.parse(readFileSync(report, "utf8"));
    const tests = result.testResults.flatMap(({ assertionResults }) => assertionResults);
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
      rows: describeRows(result.testResults, missing),
      leftOut: missing
        .map((tag) => [tag, tests.filter((test) => test.tags.includes(tag)).length])
        .filter(([, count]) => count > 0),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, leftOut: [] };
  }
}
