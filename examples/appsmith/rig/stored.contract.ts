/**
 * Rows 5 and 7 of the README's table: what a whole run stored is anonymous, and the public page lists exactly
 * that.
 */
import { describe, expect, it } from "vitest";
import { expectListed, leavesOf } from "./public-page.ts";
import { ACTION, ACTIVE, type Use } from "./use.ts";

/** Paths of names that people gave, which the plan declares as exceptions. */
const CONTENT = [
  "properties.appName",
  "properties.pageName",
  "properties.datasource.name",
  "properties.name",
];

/** Defines the tests of rows 5 and 7. Call it after the rows whose events these tests check. */
export function testStored(use: Use): void {
  describe("row 5", () => {
    it("what the whole run stored is anonymous", async () => {
      const events = await use.collector.events();
      expect(events.length).toBeGreaterThan(10);
      const hostNames = await use.machine.hostNames();
      for (const event of events)
        for (const [path, value] of leavesOf(event, "")) {
          const text = String(value);
          expect(text, path).not.toContain("@corp");
          if (path !== "context.library.name") expect(text, path).not.toContain("@");
          for (const [, last] of text.matchAll(/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.(\d{1,3})\b/g))
            if (!path.endsWith("userAgent")) expect(last, `${path}: ${text}`).toBe("0");
          for (const name of hostNames) expect(text.includes(name), `${path}: ${text}`).toBe(false);
          if (!CONTENT.includes(path)) expect(text, path).not.toMatch(/zq/i);
        }
    });
  });

  describe("row 7", () => {
    it("the public page lists every path that is stored, and none that a run does not store", () =>
      expectListed(use, [ACTIVE, ACTION, "Installation Started", "Installation Success"]));
  });
}
