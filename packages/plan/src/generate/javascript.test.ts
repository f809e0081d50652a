import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadPlan } from "../load.ts";
import type { Plan } from "../plan.ts";
import { hashPlan } from "../plan-hash.ts";
import { generateJavaScript } from "./javascript.ts";
import { generateTypeScript } from "./typescript.ts";

const PLAN_FILE = new URL("../../../../plans/appsmith.yaml", import.meta.url);
const plan = loadPlan(readFileSync(PLAN_FILE, "utf8"), "plans/appsmith.yaml");
/** Text that would break out of a comment, a string or a template. */
const BREAKOUT = "*/ throw 1; /* ` \\ \" ' \n\r\u2028\u2029 </script> \u0000";
const odd: Plan = { ...plan, product: BREAKOUT, about: BREAKOUT, promises: [BREAKOUT] };

/** What a product that imports the module gets. */
function importPlan(module: string): unknown {
  const script = `${module}\nprocess.stdout.write(JSON.stringify(plan));`;
  const options = { input: script, encoding: "utf8", timeout: 20_000 } as const;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-"], options));
}

test.each([
  ["Appsmith", plan],
  ["odd", odd],
])("the module of the %s plan holds its hash and the plan itself", (_, of) => {
  expect(importPlan(generateJavaScript(of))).toEqual({
    hash: hashPlan(of),
    content: JSON.parse(JSON.stringify(of)),
  });
});

test("the module has nothing else, is the same for the same plan, and the TypeScript one has the same plan", () => {
  const text = generateJavaScript(plan);
  expect(text.match(/^export .{0,14}/gm)).toEqual(["export const plan = {"]);
  expect(generateJavaScript(structuredClone(plan))).toBe(text);
  const [, expression = ""] = text.split("export const plan = ");
  expect(generateTypeScript(plan).endsWith(` = ${expression}`)).toBe(true);
});
