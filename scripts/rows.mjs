// Says which rows of the reference product's telemetry page were tested, and how: the closing lines of `npm test`.

/** In the order in which they are said. */
const WAYS = [
  { file: /\/examples\/.*\.docker\.test\.ts$/, says: "in containers" },
  { file: /\/examples\/.*\.rig\.test\.ts$/, says: "as plain processes" },
];

/**
 * @param testResults of vitest's JSON report: the tests of a row are in a `describe` whose name begins with its number
 * @param missing the tags of tests that this machine cannot run
 * @returns undefined if no test of a row was asked for
 */
export function describeRows(testResults, missing) {
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap((test) => toRowTest(name, test) ?? []),
  );
  const rows = [...new Set(tests.map(({ row }) => row))].sort((one, other) => one - other);
  const ran = new Set(tests.filter(({ hasRun }) => hasRun).map(({ row }) => row));
  const parts = WAYS.flatMap((way) => {
    const ofWay = rows.filter((row) =>
      tests.some((test) => test.row === row && test.way === way && test.hasRun),
    );
    return ofWay.length === 0 ? [] : [`${listNumbers(ofWay)} ${way.says}`];
  });
  const leftOut = rows.filter((row) => !ran.has(row)).map((row) => sayWhy(row, tests, missing));
  if (leftOut.length > 0) parts.push(`left out: ${leftOut.join(", ")}`);
  return parts.length === 0 ? undefined : `Reference product: ${parts.join("; ")}.`;
}

function toRowTest(file, { ancestorTitles, status, tags = [] }) {
  const way = WAYS.find((one) => one.file.test(file));
  const row = ancestorTitles
    .map((title) => /^row (\d+)/.exec(title)?.[1])
    .find((number) => number !== undefined);
  if (way === undefined || row === undefined) return undefined;
  return { row: Number(row), way, tags, hasRun: status === "passed" || status === "failed" };
}

/** `1-3, 5`: runs of numbers as ranges. */
function listNumbers(numbers) {
  const ranges = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const texts = ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`));
  return `${numbers.length === 1 ? "row" : "rows"} ${texts.join(", ")}`;
}

/** Names what the machine would need for the way that needs least. */
function sayWhy(row, tests, missing) {
  const [needs = []] = tests
    .filter((test) => test.row === row)
    .map(({ tags }) => tags.filter((tag) => missing.includes(tag)))
    .sort((one, other) => one.length - other.length);
  return needs.length === 0 ? `row ${row}` : `row ${row} (no ${needs.join(", ")})`;
}
