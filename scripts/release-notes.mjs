// Prints CHANGELOG.md's section about the version in package.json, as the text of a release.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const sections = readFileSync(join(root, "CHANGELOG.md"), "utf8").split(/^(?=## )/m);
const own = sections.find((section) => section.startsWith(`## ${version}`));
if (own === undefined) {
  console.error(`CHANGELOG.md has no section "## ${version}". Rename "## Unreleased" to it.`);
  process.exit(1);
}
console.log(own.replace(/^## .*\n+/, "").trimEnd());
