import { expect, test } from "vitest";
import type { Field, Plan } from "../plan.ts";
import { REFERENCE_PLAN as plan } from "../rig/reference-plan.ts";
import { isLinked, listShellGaps } from "./shell-gaps.ts";

const TEXT: Field = {
  type: "string",
  format: "text",
  maxLength: 64,
  enum: undefined,
  pattern: undefined,
  hash: false,
  sensitivity: "technical",
  description: "A field.",
  example: "x",
  since: 1,
  required: false,
  exception: undefined,
  column: false,
  fact: false,
  dimension: false,
  measure: undefined,
  keptWith: [],
};

function withField(event: string, name: string, field: Partial<Field> | undefined): Plan {
  const changed = { ...TEXT, ...field } as Field;
  return {
    ...plan,
    events: plan.events.map((of) => {
      const { [name]: _, ...others } = of.fields;
      const fields = field === undefined ? others : { ...others, [name]: changed };
      return of.name === event ? { ...of, fields } : of;
    }),
  };
}

const kinds = (required: boolean, ...values: readonly string[]) =>
  withField("Installation Errors", "error", { required, enum: values });

test.each<[string, Plan, readonly string[]]>([
  ["the Appsmith plan", plan, []],
  ["kinds of any text", withField("Installation Errors", "error", {}), []],
  [
    "kinds that must be a version number",
    withField("Installation Errors", "error", { format: "version" }),
    ["`error` takes neither `unknown` nor `other`"],
  ],
  [
    "no install script",
    { ...plan, events: plan.events.filter(({ sources }) => !sources.includes("installer")) },
    [],
  ],
  [
    "`unknown` alone",
    kinds(false, "x", "unknown"),
    ["does not take `interrupted`, which the installer kit tells by itself: `unknown` is told instead"],
  ],
  [
    "`other` alone",
    kinds(false, "x", "other"),
    ["`unknown`, which", "`interrupted`, which the installer kit tells by itself: `other` is told instead"],
  ],
  [
    "neither",
    kinds(false, "x"),
    ["takes neither `unknown` nor `other`: a failure of a kind that it does not take is told without a kind"],
  ],
  ["neither, and it is required", kinds(true, "x"), ["is lost, as the field is required"]],
  ["kinds that are hashed", withField("Installation Errors", "error", { hash: true }), ["takes neither"]],
  [
    "kinds of a pattern",
    withField("Installation Errors", "error", { pattern: "[a-z]{1,8}" }),
    ["does not take `interrupted`"],
  ],
  ["no kinds", withField("Installation Errors", "error", undefined), ["It has no field `error`"]],
  [
    "no errors",
    { ...plan, events: plan.events.filter(({ name }) => name !== "Installation Errors") },
    ["No event `Installation Errors` is declared"],
  ],
  [
    "a link that takes another id",
    withField("Instance Active", "installId", { pattern: "[0-9]{1,9}" }),
    ["`installId` does not take an install's id"],
  ],
  ["a link", withField("Instance Active", "installId", { pattern: "[0-9a-f]{32}" }), []],
])("what the kit cannot report under %s", (_, of, texts) => {
  const gaps = listShellGaps(of);
  expect(gaps.length).toBe(texts.length);
  for (const [index, text] of texts.entries()) expect(gaps[index]?.text).toContain(text);
});

test.each<[string, Partial<Field> | undefined, boolean]>([
  ["none", undefined, false],
  ["text", {}, true],
  ["its pattern", { pattern: "[0-9a-f]{32}" }, true],
  ["another pattern", { pattern: "[0-9]+" }, false],
  ["too short", { maxLength: 31 }, false],
  ["a hash", { hash: true }, false],
])("a heartbeat contains the install's id only if its field accepts it: %s", (_, field, linked) => {
  expect(isLinked(withField("Instance Active", "installId", field))).toBe(linked);
});
