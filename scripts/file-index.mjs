// Makes docs/file-index.md: one sentence for every source file, the first of its opening comment.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const OPENING = /^\/\*\*\s*([\s\S]*?)\*\/\n/;
const SENTENCE = /^(.+?[.!?])(?=\s|$)/;

/** @returns the page @throws for files that do not open with a sentence */
export function fileIndex() {
  const sections = readdirSync(join(root, "packages"))
    .sort()
    .map((name) => [name, sourcesOf(`packages/${name}/src`)])
    .filter(([, files]) => files.length > 0);
  const silent = sections.flatMap(([, files]) => files).filter((file) => sentenceOf(file) === undefined);
  if (silent.length > 0 && !process.env.LAX)
    throw new Error(
      `Open these files with /** one sentence that says what it owns. */\n${silent.join("\n")}`,
    );
  return `# File index

Generated from the first sentence of each file by \`npm run docs\`. Tests, rigs and fixtures are beside the files.
${sections.map(([name, files]) => sectionOf(name, files)).join("")}`;
}

function sectionOf(name, files) {
  const src = `packages/${name}/src/`;
  const rows = files.map(
    (file) => `| [\`${file.slice(src.length)}\`](../${file}) | ${cell(sentenceOf(file) ?? "")} |`,
  );
  return `
## packages/${name}

| file | what it owns |
|---|---|
${rows.join("\n")}
`;
}

function sourcesOf(src) {
  try {
    return readdirSync(join(root, src), { recursive: true, encoding: "utf8" })
      .filter(
        (file) => file.endsWith(".ts") && !/\.(?:test|contract)\.ts$|(?:^|\/)(?:rig|fixtures)\//.test(file),
      )
      .sort()
      .map((file) => `${src}/${file}`);
  } catch {
    return []; // a package of shell
  }
}

function sentenceOf(file) {
  const [, comment] = OPENING.exec(readFileSync(join(root, file), "utf8")) ?? [];
  const text = comment?.replace(/\s*\n\s*\*\s?/g, " ").trim();
  return text && SENTENCE.exec(text)?.[1];
}

function cell(text) {
  return text.replaceAll("|", "\\|");
}
