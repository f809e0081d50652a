import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Plan } from "../plan.ts";
import { hashPlan } from "../plan-hash.ts";
import { REFERENCE_PLAN as plan } from "../rig/reference-plan.ts";
import { generateCommonJs, generateJavaScript } from "./javascript.ts";
import { generateTypeScript } from "./typescript.ts";

/** Text that would break out of a comment, a string or a template. */
const BREAKOUT = "*/ throw 1; /* ` \\ \" ' \n\r\u2028\u2029 </script> \u0000";
const odd: Plan = { ...plan, product: BREAKOUT, about: BREAKOUT, promises: [BREAKOUT] };

const IMPORT = ["module", (name: string) => `import { plan } from "./${name}";`] as const;
const REQUIRE = ["commonjs", (name: string) => `const { plan } = require("./${name}");`] as const;

/** Loads the module as a product does, and returns its plan. */
function load(name: string, text: string, [type, statement]: typeof IMPORT | typeof REQUIRE): unknown {
  const dir = mkdtempSync(join(tmpdir(), "candor-generate-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, name), text);
  const program = `${statement(name)}\nprocess.stdout.write(JSON.stringify(plan));`;
  const options = { cwd: dir, input: program, encoding: "utf8", timeout: 20_000 } as const;
  return JSON.parse(execFileSync(process.execPath, [`--input-type=${type}`, "-"], options));
}

test.each([
  ["Appsmith", plan],
  ["odd", odd],
])("the module of the %s plan contains the hash and the plan, imported or required", (_, of) => {
  const expected = { hash: hashPlan(of), content: JSON.parse(JSON.stringify(of)) };
  expect(load("plan.mjs", generateJavaScript(of), IMPORT)).toEqual(expected);
  expect(load("plan.cjs", generateCommonJs(of), REQUIRE)).toEqual(expected);
  expect(load("plan.cjs", generateCommonJs(of), IMPORT)).toEqual(expected);
});

test("the module contains nothing else, is the same for the same plan, and has the same plan in all languages", () => {
  const text = generateJavaScript(plan);
  expect(text.match(/^export .{0,14}/gm)).toEqual(["export const plan = {"]);
  expect(generateJavaScript(structuredClone(plan))).toBe(text);
  const [head = "", expression = ""] = text.split("export const plan = ");
  expect(generateTypeScript(plan).endsWith(` = ${expression}`)).toBe(true);
  expect(generateCommonJs(plan)).toBe(
    `${head.replace("generate js", "generate cjs")}exports.plan = ${expression}`,
  );
});
