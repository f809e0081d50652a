// Says which rows of the test table in examples/appsmith/README.md were run, and how, at the end of `npm
// test`.

/** The ways of running a row, in the order in which the sentence names them. */
const WAYS = [
  { file: /\/examples\/.*\.docker\.test\.ts$/, says: "in containers" },
  { file: /\/examples\/.*\.rig\.test\.ts$/, says: "as plain processes" },
];

/**
 * Says in one sentence which rows were run, and how.
 * @param testResults from vitest's JSON report; a row's tests are in a `describe` whose name begins with `row
 * <number>`
 * @param missing the tags of tests that this machine cannot run
 * @returns undefined if the report contains no test of a row
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

/** Lists numbers, with consecutive ones as a range: `rows 1-3, 5`. */
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

/**
 * Says why a row did not run: the tags that this machine lacks, for the one of its tests that lacks the
 * fewest.
 */
function sayWhy(row, tests, missing) {
  const [needs = []] = tests
    .filter((test) => test.row === row)
    .map(({ tags }) => tags.filter((tag) => missing.includes(tag)))
    .sort((one, other) => one.length - other.length);
  return needs.length === 0 ? `row ${row}` : `row ${row} (no ${needs.join(", ")})`;
}
