// Runs all CI checks except the tests: `npm run check`.
import { spawnSync } from "node:child_process";
import { prepare, root, tool } from "./prepare.mjs";

const CHECKS = [
  ["types", tool("tsc"), ["--project", "tsconfig.check.json"]],
  ["types of the browser SDK", tool("tsc"), ["--project", "packages/browser/tsconfig.check.json"]],
  ["lint and format", tool("biome"), ["ci", "--error-on-warnings", "."]],
  ["versions agree", process.execPath, ["scripts/version.mjs", "--check"]],
  ["the packed SDK", process.execPath, ["scripts/check-package.mjs"]],
  [
    "size and syntax of the browser SDK",
    process.execPath,
    ["scripts/build-browser.mjs", "--quiet", "--check"],
  ],
  ["unused code", tool("knip"), []],
  ["pages are not stale", process.execPath, ["scripts/docs.mjs", "--check"]],
  ["plan", process.execPath, ["packages/cli/bin/candor.js", "plan", "check", "plans/appsmith.yaml"]],
];

prepare();
let failed = 0;
for (const [name, command, args] of CHECKS) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}`);
  if (status === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
