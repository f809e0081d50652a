// Writes the files that are generated from code, such as the reference pages and the index of files: `npm run
// docs`. With `--check`, it writes nothing and fails if a file is stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describePlan, planFormatPage, planSchema, renderMarkdown } from "../packages/plan/dist/index.js";
import { TRIM_REASONS } from "../packages/plan/dist/runtime/index.js";
import { DROP_REASONS, ERRORS, makeSamples, readPlan } from "../packages/server/dist/index.js";
import { compactKit } from "./compact-kit.mjs";
import { fileIndex } from "./file-index.mjs";
import { layersConfig } from "./layers.mjs";
import { root } from "./prepare.mjs";

const isCheck = process.argv.includes("--check");
let stale = 0;
const plan = readPlan(join(root, "plans/appsmith.yaml"));
const pages = [
  ["docs/errors.md", errorsPage()],
  ["docs/file-index.md", fileIndex()],
  ["docs/plan-format.md", planFormatPage()],
  ["docs/what-appsmith-collects.md", renderMarkdown(describePlan(plan, makeSamples(plan)))],
  [
    "packages/installer/candor.compact.sh",
    compactKit(readFileSync(join(root, "packages/installer/candor.sh"), "utf8")),
  ],
  ["layers.biome.json", `${JSON.stringify(layersConfig(), null, 2)}\n`],
  ["packages/plan/plan.schema.json", `${JSON.stringify(planSchema(), null, 2)}\n`],
];
for (const [file, content] of pages) {
  const path = join(root, file);
  if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
  if (!isCheck) writeFileSync(path, content);
  else {
    stale += 1;
    console.error(`${file} is stale. Run: npm run docs`);
  }
}
process.exit(stale === 0 ? 0 : 1);

function errorsPage() {
  const answers = Object.entries(ERRORS).filter(([, { status }]) => status !== undefined);
  const faults = Object.entries(ERRORS).filter(([, { status }]) => status === undefined);
  return `# Errors

Generated from \`packages/server/src/errors.ts\` and \`packages/envelope/src/collector-reasons.ts\` by \`npm run docs\`. The code is the contract; the text may change.

## Answers over HTTP

The body is \`{"success":false,"code","message","error"}\`. Where a number of seconds is given, the answer has a \`Retry-After\` header.

| code | status | Retry-After | message |
|---|---|---|---|
${answers.map(([code, e]) => `| \`${code}\` | ${e.status} | ${e.retryAfterS ?? ""} | ${cell(e.message)} |`).join("\n")}

## Faults of the commands

Printed to the operator, exit status 1; of \`tail\`, \`compare\` and \`forget\` 2.

| code | message |
|---|---|
${faults.map(([code, e]) => `| \`${code}\` | ${cell(e.message)} |`).join("\n")}

## Why a message is not stored

In the batch answer (\`dropped\`), in \`/metrics\` (\`candor_events_dropped_total\`) and in \`/api/live\`. A \`duplicate\` counts as accepted.

| reason | meaning |
|---|---|
${Object.entries(DROP_REASONS)
  .map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`)
  .join("\n")}

## Why a value was removed from a message

In \`/api/reports/plan\` and in \`/metrics\` (\`candor_plan_findings_total\`), by event and declared path.

| reason | meaning |
|---|---|
${Object.entries(TRIM_REASONS)
  .map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`)
  .join("\n")}
`;
}

function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("{", "\\{");
}
