/** Checks the README's table, which says how many lines of the product are telemetry. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const OWN = "server/src/telemetry.ts";

it("the README counts the lines of the product that are telemetry", () => {
  const rows = [...read("README.md").matchAll(/^\| `([^`]+)` \| (\d+) \| (\d+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(5);
  for (const [, path = "", lines, telemetry] of rows) {
    const all = read(path)
      .split("\n")
      .filter((line) => line.trim() !== "");
    const code = all.filter((line) => !/^\s*(#|\/\/|\/?\*)/.test(line));
    const mentions = path === OWN ? code : code.filter((line) => /telemetry|candor/i.test(line));
    expect({ path, lines: Number(lines), telemetry: Number(telemetry) }).toEqual({
      path,
      lines: all.length,
      telemetry: mentions.length,
    });
  }
});
