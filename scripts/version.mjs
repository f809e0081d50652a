// Writes the version in the root's package.json to all other places that need the version. `npm version` runs
// this script. With `--check`, as in `npm run check`, it writes nothing and fails if a place differs.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
const places = [
  ...[...packages, "bench", "conformance", "examples/appsmith", "examples/appsmith/demo"].map((place) => [
    `${place}/package.json`,
    setInManifest,
  ]),
  ["packages/node/src/version.ts", (text) => text.replace(/"[^"]*";$/m, `"${version}";`)],
  ["packages/installer/candor.sh", setInKit],
  ["packages/installer/candor.compact.sh", setInKit],
];

const isCheck = process.argv.includes("--check");
let stale = 0;
for (const [file, set] of places) {
  const path = join(root, file);
  const text = readFileSync(path, "utf8");
  const wanted = set(text);
  if (wanted === text) continue;
  stale += 1;
  if (isCheck) console.error(`${file} does not have the version ${version}. Run: node scripts/version.mjs`);
  else writeFileSync(path, wanted);
}
process.exit(isCheck && stale > 0 ? 1 : 0);

/** Sets a package's own version, and the versions of the workspace's packages on which it depends. */
function setInManifest(text) {
  return text
    .replace(/^( {2}"version": )"[^"]*"/m, `$1"${version}"`)
    .replace(/("@candor\/(?!source")[a-z]+": )"[^"]*"/g, `$1"${version}"`);
}

function setInKit(text) {
  return text.replace(/(kit_add '' library\.version )\S+/, `$1${version}`);
}
