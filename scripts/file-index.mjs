// Makes docs/file-index.md from the first sentences of the source files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

/** A docstring, or line comments, at the top of a file. */
const OPENING = /^(?:#!.*\n)?(?:\/\*\*(?:\s*\n\s*\*)?\s*([\s\S]*?)\*\/|((?:\/\/.*\n)+))/;
const OTHER_PLACES = [
  "bench",
  "conformance",
  "examples/appsmith/server",
  "examples/appsmith/demo",
  "scripts",
];
const SENTENCE = /^(.+?[.!?])(?=\s|$)/;

/** Makes the page, as Markdown. @throws Error if a file does not open with a sentence */
export function fileIndex() {
  const packages = readdirSync(join(root, "packages")).sort();
  const places = [...packages.map((name) => `packages/${name}`), ...OTHER_PLACES];
  const sections = places.map((place) => [place, sourcesOf(place)]).filter(([, files]) => files.length > 0);
  const silent = sections.flatMap(([, files]) => files).filter((file) => sentenceOf(file) === undefined);
  if (silent.length > 0)
    throw new Error(
      `Open these files with /** one sentence that says what it owns. */\n${silent.join("\n")}`,
    );
  return `# File index

Generated from the first sentence of each file by \`npm run docs\`. Tests, rigs and fixtures are beside the files.
${sections.map(([place, files]) => sectionOf(place, files)).join("")}`;
}

function sectionOf(place, files) {
  const rows = files.map(
    (file) =>
      `| [\`${file.slice(place.length + 1).replace(/^src\//, "")}\`](../${file}) | ${cell(sentenceOf(file))} |`,
  );
  return `
## ${place}

| file | what it owns |
|---|---|
${rows.join("\n")}
`;
}

/** The sources of a package, or the programs in a folder without `src`. */
function sourcesOf(place) {
  const folder = existsSync(join(root, place, "src")) ? `${place}/src` : place;
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => (folder === place ? /^[\w-]+\.mjs$/ : /\.ts$/).test(file))
    .filter((file) => !/\.(?:test|contract)\.ts$|(?:^|\/)(?:rig|fixtures)\//.test(file))
    .sort()
    .map((file) => `${folder}/${file}`);
}

function sentenceOf(file) {
  const [, block, lines] = OPENING.exec(readFileSync(join(root, file), "utf8")) ?? [];
  const text = (
    block?.replace(/\s*\n\s*\*\s?/g, " ") ?? lines?.replace(/^\/\/ ?/gm, "").replace(/\n/g, " ")
  )?.trim();
  return text && SENTENCE.exec(text)?.[1];
}

function cell(text) {
  return text.replaceAll("|", "\\|");
}
