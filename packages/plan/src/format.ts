import { MESSAGE_TYPES } from "@candor/envelope";
import { type Static, type TProperties, Type } from "typebox";
import {
  CONSENT_RULES,
  DEFAULT_MAX_ITEMS,
  DEFAULT_MAX_LENGTH,
  IP_POLICIES,
  PLAN_MODES,
  PLAN_SOURCES,
  SENSITIVITIES,
  STRING_FORMATS,
  USER_AGENT_POLICIES,
} from "./plan.ts";

/**
 * The plan file's format, once: the types, `plan.schema.json` for editors, the checks of `loadPlan` and
 * docs/plan-format.md all come from here. What one key demands of another stands in rules.ts.
 *
 * Every key has a `description`. There are no unions: an error must be able to say what to write instead.
 */
const VERSION = { minimum: 1, maximum: 1_000_000 };
const ITEMS = { minimum: 1, maximum: 1000, default: DEFAULT_MAX_ITEMS };
const DAYS = { minimum: 1, maximum: 3650 };
const DATE = { pattern: "^\\d{4}-\\d{2}-\\d{2}$" };
const SENTENCE = { minLength: 3, maxLength: 2000 };

/** An object that takes no other keys: a slip of the pen must not collect or protect something else. */
function closed<Properties extends TProperties>(properties: Properties, options: { description: string }) {
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
  kept_with: Type.Optional(
    Type.Array(Type.String(), {
      description: "Contact fields: the event's other fields that are kept beside the contact.",
    }),
  ),
  ...LIMITS,
  items: Type.Optional(ItemFormat),
  max_items: Type.Optional(Type.Integer({ ...ITEMS, description: "Arrays: the most items." })),
};

/** A field as it is written. `fields` holds more of the same (the recursion stands in loadPlan and in the JSON Schema). */
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

const fields = (description: string) =>
  Type.Optional(Type.Record(Type.String(), FieldFormat, { description }));

const SourceFormat = closed(
  {
    description: Type.String({ ...SENTENCE, description: "What this source is, for the public page." }),
    consent: Type.Enum([...CONSENT_RULES], {
      description: "`notice`: may send once people were told. `opt-in`: only after a Yes.",
    }),
    mode: Type.Optional(
      Type.Enum([...PLAN_MODES], {
        default: "enforce",
        description:
          "`observe` keeps and counts what is not declared: only while a plan is being introduced.",
      }),
    ),
    ip: Type.Optional(
      Type.Enum([...IP_POLICIES], { default: "truncate", description: "What becomes of IP addresses." }),
    ),
    user_agent: Type.Optional(
      Type.Enum([...USER_AGENT_POLICIES], { default: "family", description: "What becomes of user agents." }),
    ),
    retention_days: Type.Integer({ ...DAYS, description: "Days after which its events are deleted." }),
    instance_id: Type.Optional(
      Type.String({
        pattern: "^(?:anonymousId|properties\\.[A-Za-z_][A-Za-z0-9_]{0,99})$",
        default: "properties.instanceId",
        description:
          "Where its messages carry the instance's id (for `identify` and `group`, the trait of that name): what `compare`, `forget` and reports go by. Without it, the server's `anonymousId` counts too. Never a browser's own id.",
      }),
    ),
    context: fields("The fields of `context` that its messages may carry, by name."),
    ids: Type.Optional(
      closed(
        {
          userId: Type.Optional(FieldFormat),
          anonymousId: Type.Optional(FieldFormat),
          groupId: Type.Optional(FieldFormat),
          previousId: Type.Optional(FieldFormat),
        },
        {
          description:
            "The forms that ids may have. An id of another form, or one not declared, is replaced by its keyed hash.",
        },
      ),
    ),
  },
  { description: "One place that messages come from; each has its own write key." },
);

const EventFormat = closed(
  {
    type: Type.Enum([...MESSAGE_TYPES], { description: "The call of the Segment spec." }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "The event's name (track), the page's or screen's.",
      }),
    ),
    source: Type.Array(Type.Enum([...PLAN_SOURCES]), {
      minItems: 1,
      description: "The sources that may send it. From another source's key it is refused.",
    }),
    since: Type.Integer({ ...VERSION, description: "Plan version that brought it." }),
    why: Type.String({ ...SENTENCE, description: "What decision it serves." }),
    owner: Type.String({ minLength: 2, maxLength: 200, description: "Who answers for it." }),
    review: Type.String({
      pattern: "^https?://\\S+$",
      description: "Link to where it was discussed and agreed.",
    }),
    expires: Type.Optional(
      Type.String({ ...DATE, description: "`YYYY-MM-DD`; from then on it is refused." }),
    ),
    consent: Type.Optional(
      Type.Enum([...CONSENT_RULES], { description: "Where it differs from its source's." }),
    ),
    properties: fields("Its fields, by name; `identify` and `group` have `traits` instead."),
    traits: fields("The fields of `identify` and `group`, by name."),
  },
  { description: "One event, known by its type and name." },
);

export const PlanFormat = closed(
  {
    product: Type.String({ minLength: 1, maxLength: 100, description: "The product's name." }),
    contact: Type.String({
      minLength: 3,
      maxLength: 200,
      description: "Where people write to about the plan: an e-mail address or a URL.",
    }),
    version: Type.Integer({
      ...VERSION,
      description: "Grows whenever what is collected changes. A consent names the version it was given for.",
    }),
    about: Type.Optional(Type.String({ ...SENTENCE, description: "What the public page says first." })),
    promises: Type.Array(Type.String(SENTENCE), { minItems: 1, description: "What is never collected." }),
    turn_off: Type.Array(Type.String(SENTENCE), {
      minItems: 1,
      description: "The exact steps that turn telemetry off; `code` in backquotes.",
    }),
    switches: closed(
      {
        disable: Type.String({
          pattern: "^[A-Z][A-Z0-9_]*$",
          description: "Environment variable that turns everything off.",
        }),
        opt_in: Type.Optional(
          Type.String({
            pattern: "^[A-Z][A-Z0-9_]*$",
            description: "Environment variable that holds the answer to the opt-in question.",
          }),
        ),
      },
      { description: "The product's environment variables." },
    ),
    contacts: Type.Optional(
      closed(
        { retention_days: Type.Integer({ ...DAYS, description: "Days after which a contact is deleted." }) },
        { description: "Contact data, which is held apart from events. Needed when a field is `contact`." },
      ),
    ),
    changelog: Type.Array(
      closed(
        {
          version: Type.Integer({ ...VERSION, description: "Plan version." }),
          date: Type.String({ ...DATE, description: "`YYYY-MM-DD`." }),
          text: Type.String({ ...SENTENCE, description: "What changed, for people." }),
        },
        { description: "One version of the plan." },
      ),
      { minItems: 1, description: "What each version changed; the newest is the plan's own version." },
    ),
    sources: closed(
      {
        installer: Type.Optional(SourceFormat),
        server: Type.Optional(SourceFormat),
        client: Type.Optional(SourceFormat),
      },
      { description: "Where messages come from." },
    ),
    events: Type.Array(EventFormat, { minItems: 1, description: "All that may be collected." }),
  },
  { description: "A Candor plan: all that may be collected, and why." },
);

export type PlanFile = Static<typeof PlanFormat>;
export type SourceFile = Static<typeof SourceFormat>;
export type EventFile = Static<typeof EventFormat>;
export type FieldFile = Static<typeof FieldFormat>;
export type ItemFile = Static<typeof ItemFormat>;
