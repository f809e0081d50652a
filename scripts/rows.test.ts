import { expect, it } from "vitest";
import { describeRows } from "./rows.mjs";

const DOCKER = "/home/ada/candor/examples/appsmith/rig/use.docker.test.ts";
const RIG = "/home/ada/candor/examples/appsmith/rig/use.rig.test.ts";

const fileOf = (name: string, status: string, rows: readonly number[], tags: readonly string[] = []) => ({
  name,
  assertionResults: rows.map((row) => ({ ancestorTitles: ["", `row ${row}: what it shows`], status, tags })),
});

it("lists the rows that ran in containers and those that ran as plain processes", () => {
  const results = [
    fileOf(DOCKER, "passed", [1, 2, 3, 4, 5, 6, 7, 8]),
    fileOf(RIG, "passed", [7, 6, 5, 3, 2, 1]),
  ];
  expect(describeRows(results, [])).toBe(
    "Reference product: rows 1-8 in containers; rows 1-3, 5-7 as plain processes.",
  );
});

it("lists the rows that were left out, each with the fewest tags that the machine lacks", () => {
  const results = [
    fileOf(DOCKER, "skipped", [1, 4], ["docker", "chromium"]),
    fileOf(DOCKER, "skipped", [8], ["docker"]),
    fileOf(RIG, "failed", [1], ["linux"]),
    fileOf(RIG, "skipped", [4], ["linux", "chromium"]),
  ];
  expect(describeRows(results, ["docker", "chromium"])).toBe(
    "Reference product: row 1 as plain processes; left out: row 4 (no chromium), row 8 (no docker).",
  );
});

it("returns nothing if the report contains no row", () => {
  const other = fileOf("/home/ada/candor/packages/node/src/crash.rig.test.ts", "passed", [1]);
  const demo = {
    name: RIG,
    assertionResults: [{ ancestorTitles: ["rows of tables"], status: "passed", tags: [] }],
  };
  expect(describeRows([other, demo], ["docker"])).toBeUndefined();
});
