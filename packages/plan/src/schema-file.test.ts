import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Compile } from "typebox/schema";
import { expect, test } from "vitest";
import { readDocument } from "./document.ts";
import { EXAMPLE_PLAN } from "./example-plan.ts";
import { planFormatPage } from "./format-page.ts";
import { followRef, planSchema, planShape, type Shape } from "./schema-file.ts";
import { checkStructure } from "./structure.ts";

const validator = Compile(planSchema());

function parse(text: string): unknown {
  const { value, faults } = readDocument(text);
  expect(faults).toEqual([]);
  return JSON.parse(JSON.stringify(value));
}

/** The paths that the structure check rejects. */
function refusals(value: unknown): string[] {
  const found: string[] = [];
  checkStructure(planShape(), value, [], (path) => found.push(path.join("/")));
  return found;
}

test("the schema accepts the example plan", () => {
  expect(validator.Check(parse(EXAMPLE_PLAN))).toBe(true);
});

test.each([
  ["an unknown key", "about: K", "abuot: K"],
  ["a missing key", "product: Kitchen\n", ""],
  ["a wrong value", "consent: opt-in", "consent: ask"],
  ["a wrong type", "retention_days: 365", "retention_days: a year"],
  ["a number out of range", "retention_days: 365", "retention_days: 0"],
  ["an unknown key of a field", "max_items: 3", "maxItems: 3"],
  ["an unknown key of a field within a field", "            format: url", "            fromat: url"],
  ["a field's name with a dot", "      os:\n", "      os.name:\n"],
  ["an unknown key of items", "          enum: [quick", "          enmu: [quick"],
])("the schema refuses %s, as the loader does", (_name, from, to) => {
  expect(EXAMPLE_PLAN).toContain(from);
  const value = parse(EXAMPLE_PLAN.replace(from, () => to));
  expect(refusals(value)).not.toEqual([]);
  expect(validator.Check(value)).toBe(false);
});

/** The paths of all values inside of a value, and of the value itself. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaceAt(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return replacement;
  const inner = replaceAt(Reflect.get(value, step), rest, replacement);
  return Array.isArray(value) ? value.with(Number(step), inner) : { ...value, [step]: inner };
}

test("the schema and the loader's structure check agree on any change of a value", () => {
  const plan = parse(EXAMPLE_PLAN);
  const changes = fc.tuple(fc.constantFrom(...pathsOf(plan)), fc.jsonValue({ maxDepth: 2 }));
  fc.assert(
    fc.property(changes, ([path, replacement]) => {
      const changed = replaceAt(plan, path, replacement);
      expect(refusals(changed).length === 0).toBe(validator.Check(changed));
    }),
    { numRuns: 1000 },
  );
});

test("plan.schema.json matches the format", () => {
  const file = readFileSync(new URL("../plan.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(file)).toEqual(planSchema());
});

test("every key of the format has a description, and the page contains them all", () => {
  const page = planFormatPage();
  const keys: string[] = [];
  const visit = (shape: Shape): void => {
    for (const [key, inner] of Object.entries(shape.properties ?? {})) {
      keys.push(key);
      expect(page, key).toContain(`| \`${key}\` | `);
      expect(followRef(inner).description, key).toMatch(/\.$/);
      visit(inner);
    }
    if (shape.items !== undefined) visit(shape.items);
  };
  visit(planShape());
  visit(followRef({ $ref: "#/$defs/field" }));
  expect(keys).toContain("max_length");
  expect(page).toContain(EXAMPLE_PLAN);
});
