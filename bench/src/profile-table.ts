/** Renders the table of the functions with the most self time, grouped by file. */
import type { SelfTime, SelfTimes } from "./cpu-profile.ts";
import { markdownTable } from "./table.ts";

/** How many functions to show. */
const FUNCTIONS = 28;

/**
 * Renders a row for each file that has at least one of the functions with the most self time: the sum over
 * all functions of the file. Below it is a row for each of those functions. The last row is the sum of all
 * other files.
 * @param busyUsPerEvent how many microseconds the thread was busy per event
 */
export function selfTimesTable({ functions }: SelfTimes, busyUsPerEvent: number): string {
  const longest = new Set(functions.slice(0, FUNCTIONS));
  const groups = [...groupByFile(functions)]
    .map(([file, own]) => ({ file, share: sumOf(own), shown: own.filter((one) => longest.has(one)) }))
    .sort((a, b) => b.share - a.share);
  const figures = (share: number) => [`${(share * 100).toFixed(1)}%`, (share * busyUsPerEvent).toFixed(2)];
  const shown = groups.filter((group) => group.shown.length > 0);
  const rest = groups.filter((group) => group.shown.length === 0).reduce((sum, { share }) => sum + share, 0);
  return markdownTable(
    ["self time", "of busy", "us an event"],
    [
      ...shown.flatMap((group) => [
        [`**${group.file}**`, ...figures(group.share)],
        ...group.shown.map((one) => [`- ${nameOf(one)}`, ...figures(one.share)]),
      ]),
      ["other files", ...figures(rest)],
    ],
  );
}

function groupByFile(functions: readonly SelfTime[]): ReadonlyMap<string, readonly SelfTime[]> {
  const files = new Map<string, SelfTime[]>();
  for (const one of functions) {
    const file = fileOf(one.url);
    const own = files.get(file);
    if (own === undefined) files.set(file, [one]);
    else own.push(one);
  }
  return files;
}

function sumOf(functions: readonly SelfTime[]): number {
  return functions.reduce((sum, { share }) => sum + share, 0);
}

/** Shortens the path of a package's file, as in `server/dist/pipeline.js`. Leaves `node:...` unchanged. */
function fileOf(url: string): string {
  if (url === "") return "native";
  const [, ours] = /\/(?:packages|node_modules)\/(?!.*\/(?:packages|node_modules)\/)(.+)$/.exec(url) ?? [];
  return ours ?? url;
}

/**
 * Escapes the name, because the source of a regular expression may contain characters
 * that would break the table.
 */
function nameOf({ functionName, line }: SelfTime): string {
  const name = functionName === "" ? "(anonymous)" : functionName.replaceAll("|", "\\|").slice(0, 60);
  return line > 0 ? `${name}:${line}` : name;
}
