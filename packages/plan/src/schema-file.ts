/** Generates the plan's JSON Schema. */
import { FieldFormat } from "./field-format.ts";
import { PlanFormat } from "./format.ts";

/** The subset of JSON Schema that the plan's format uses. */
export interface Shape {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly examples?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Shape;
  readonly required?: readonly string[];
  readonly properties?: { readonly [key: string]: Shape };
  /** Set for a block whose keys the product's developer chooses. */
  readonly propertyNames?: { readonly pattern: string };
  readonly additionalProperties?: false | Shape;
}

/**
 * Excludes dots, which separate the steps of a path, and three names with a special meaning in JavaScript's
 * objects.
 */
const FIELD_NAME = "^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_$ -]{1,64}$";
const FIELD_REF = "#/$defs/field";

// A copy, because `toPlain` turns every schema with FieldFormat's own `properties` object into a reference.
const FIELD = toShape({ ...FieldFormat, properties: { ...FieldFormat.properties } });
const PLAN = toShape(PlanFormat);

/** The plan file's JSON Schema (draft 2020-12), for editors: the content of plan.schema.json. */
export function planSchema(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:candor:plan",
    title: "Candor plan",
    ...PLAN,
    $defs: { field: FIELD },
  };
}

/** The shape of the whole file, which `loadPlan` checks. */
export function planShape(): Shape {
  return PLAN;
}

/**
 * Returns the shape of a field for a reference to it, the only kind of reference in the schema; any other
 * shape unchanged.
 */
export function followRef(shape: Shape): Shape {
  return shape.$ref === FIELD_REF ? FIELD : shape;
}

/** Converts a TypeBox schema to plain data, in which every field is a reference. */
function toShape(schema: object): Shape {
  return toPlain(schema) as Shape;
}

function toPlain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toPlain);
  if (typeof node !== "object" || node === null) return node;
  if ("properties" in node && node.properties === FieldFormat.properties) return { $ref: FIELD_REF };
  if ("patternProperties" in node) return toFields(node);
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, toPlain(value)]));
}

/**
 * Converts a block of fields. TypeBox writes records as `patternProperties`, but editors handle
 * `additionalProperties` better.
 */
function toFields(node: object): Shape {
  const description = "description" in node ? { description: String(node.description) } : {};
  const additionalProperties = { $ref: FIELD_REF };
  return { type: "object", ...description, propertyNames: { pattern: FIELD_NAME }, additionalProperties };
}
