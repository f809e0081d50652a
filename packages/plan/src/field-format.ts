/**
 * Defines the format of a field, and what all blocks of the plan file share. format.ts defines the rest of
 * the file.
 */
import { type Static, type TProperties, Type } from "typebox";
import { DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH, MEASURES, SENSITIVITIES, STRING_FORMATS } from "./plan.ts";

export const VERSION = { minimum: 1, maximum: 1_000_000 };
export const SENTENCE = { minLength: 3, maxLength: 2000 };
const ITEMS = { minimum: 1, maximum: 1000, default: DEFAULT_MAX_ITEMS };

/**
 * The format of an object that allows no other keys, so that a misspelled key is reported instead of ignored.
 */
export function closed<Properties extends TProperties>(
  properties: Properties,
  options: { description: string },
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

const LIMITS = {
  max_length: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 4096,
      default: DEFAULT_MAX_LENGTH,
      description: "Strings: the longest value, in UTF-16 units. A longer one is removed.",
    }),
  ),
  enum: Type.Optional(
    Type.Array(Type.String(), {
      minItems: 1,
      maxItems: 500,
      description: "Strings: the only values. Prefer this to free text.",
    }),
  ),
  pattern: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: "Strings: a regular expression that the whole value must match.",
    }),
  ),
  form: Type.Optional(
    Type.String({
      minLength: 3,
      maxLength: 60,
      description:
        "Strings: what the `pattern` matches, in words, such as `random UUID`. The public page shows it instead of the expression.",
    }),
  ),
  format: Type.Optional(
    Type.Enum([...STRING_FORMATS], {
      default: "text",
      description:
        "Strings: `version` is the number of a release (`4.2.0.17`, `v1.9.2-rc.1+build5`), never taken for an IP address; `url` keeps the path only, `ip` and `user_agent` follow the source's policy, `email` is an address (contact fields only).",
    }),
  ),
  hash: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        "Strings: hashed in the SDK with the instance's secret. The collector takes lower-case hex of 32 to 64 characters and nothing else, and keeps its hash under a secret of its own.",
    }),
  ),
  minimum: Type.Optional(Type.Number({ description: "Numbers: the least value." })),
  maximum: Type.Optional(Type.Number({ description: "Numbers: the greatest value." })),
  buckets: Type.Optional(
    Type.Array(Type.Number(), {
      minItems: 1,
      maxItems: 100,
      description:
        "Numbers: ascending lower bounds. A value is replaced by the bound below it, so that exact numbers are never kept.",
    }),
  ),
};

const ITEM_TYPES = ["string", "integer", "number", "boolean"] as const;
const FIELD_TYPES = [...ITEM_TYPES, "object", "array"] as const;

const ItemFormat = closed(
  { type: Type.Enum([...ITEM_TYPES], { description: "What each item is." }), ...LIMITS },
  { description: "What the items of an array are." },
);

const EXAMPLE = Type.Optional(
  Type.Unsafe<string | number | boolean | (string | number | boolean)[]>({
    type: ["string", "number", "boolean", "array"],
    description: "A value that fits the limits; the public page's sample is made of it. Objects have none.",
  }),
);

const FIELD_KEYS = {
  type: Type.Enum([...FIELD_TYPES], { description: "What the value is." }),
  sensitivity: Type.Optional(
    Type.Enum([...SENSITIVITIES], {
      description:
        "`technical` (of the machine), `interaction` (what is done), `content` (what people typed, needs an `exception`), `contact` (how to reach a person). Objects have none.",
    }),
  ),
  description: Type.String({ ...SENTENCE, description: "What it says, for people who never saw the code." }),
  example: EXAMPLE,
  since: Type.Optional(
    Type.Integer({ ...VERSION, description: "Plan version that brought it; default the event's." }),
  ),
  required: Type.Optional(
    Type.Boolean({
      default: false,
      description: "A message without it, or with a wrong value there, is refused.",
    }),
  ),
  exception: Type.Optional(
    Type.String({
      ...SENTENCE,
      description: "Why content is collected at all. Only with `sensitivity: content`.",
    }),
  ),
  column: Type.Optional(
    Type.Boolean({
      default: false,
      description: "A column of its own in the store, for questions about it.",
    }),
  ),
  fact: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        "A fact of the instance, such as its version: reports count instances by it, and filter by it. Needs few values: an `enum`, a `pattern` with `max_length` up to 64, a boolean or `buckets`.",
    }),
  ),
  dimension: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        "Reports count the event by this field. Needs few values, as a `fact` does; an integer may have a `minimum` and `maximum` at most 1000 apart instead.",
    }),
  ),
  measure: Type.Optional(
    Type.Enum([...MEASURES], {
      description:
        "What reports measure: `success`, a boolean that says whether it worked; `duration`, a number of milliseconds.",
    }),
  ),
  kept_with: Type.Optional(
    Type.Array(Type.String(), {
      description: "Contact fields: the event's other fields that are kept beside the contact.",
    }),
  ),
  ...LIMITS,
  items: Type.Optional(ItemFormat),
  max_items: Type.Optional(Type.Integer({ ...ITEMS, description: "Arrays: the most items." })),
};

/**
 * A field as written in the file. `fields` contains further fields; loadPlan and the JSON Schema handle the
 * recursion.
 */
export const FieldFormat = closed(
  {
    ...FIELD_KEYS,
    fields: Type.Optional(
      Type.Record(Type.String(), Type.Any(), {
        description: "Objects: the fields of the object, as `properties`.",
      }),
    ),
  },
  { description: "One property, trait, context field or id." },
);

export type FieldFile = Static<typeof FieldFormat>;
export type ItemFile = Static<typeof ItemFormat>;
