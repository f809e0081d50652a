import { expect, test } from "vitest";
import { selfTimesTable } from "./profile-table.ts";

const PIPELINE = "file:///home/candor/packages/server/dist/pipeline.js";

test("functions are listed below their file, with microseconds per event; the file with the most time is first", () => {
  const table = selfTimesTable(
    {
      busyShare: 1,
      functions: [
        { functionName: "(garbage collector)", url: "", line: 0, share: 0.4 },
        { functionName: "run", url: PIPELINE, line: 12, share: 0.3 },
        { functionName: "", url: PIPELINE, line: 3, share: 0.2 },
        { functionName: "RegExp: a|b", url: "node:internal/url", line: 7, share: 0.1 },
      ],
    },
    10,
  );
  expect(table.split("\n").map((line) => line.replaceAll(/ +/g, " "))).toEqual([
    "| self time | of busy | us an event |",
    expect.stringMatching(/^\|-+\|-+:\|-+:\|$/),
    "| **server/dist/pipeline.js** | 50.0% | 5.00 |",
    "| - run:12 | 30.0% | 3.00 |",
    "| - (anonymous):3 | 20.0% | 2.00 |",
    "| **native** | 40.0% | 4.00 |",
    "| - (garbage collector) | 40.0% | 4.00 |",
    "| **node:internal/url** | 10.0% | 1.00 |",
    "| - RegExp: a\\|b:7 | 10.0% | 1.00 |",
    "| other files | 0.0% | 0.00 |",
  ]);
});

test("a file's sum includes functions that are not shown, and the last line is the sum of other files", () => {
  const long = Array.from({ length: 28 }, (_, index) => ({
    functionName: `f${index}`,
    url: PIPELINE,
    line: index + 1,
    share: 0.03,
  }));
  const short = [PIPELINE, "file:///x/node_modules/yaml/dist/a.js"].map((url) => ({
    functionName: "short",
    url,
    line: 99,
    share: 0.01,
  }));
  const lines = selfTimesTable({ busyShare: 1, functions: [...long, ...short] }, 1).split("\n");
  expect(lines).toHaveLength(2 + 1 + 28 + 1);
  expect(lines[2]).toContain("85.0%");
  expect(lines.at(-1)).toMatch(/other files +\| +1\.0%/);
});
