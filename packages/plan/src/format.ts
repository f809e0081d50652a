/**
 * Defines the format of the plan file. The types, `plan.schema.json` for editors, the structure check of
 * `loadPlan` and docs/plan-format.md are all derived from it. Requirements between keys are in rules.ts and
 * the files `*-rules.ts`.
 *
 * Every key has a `description`. There are no unions of blocks, because an error must be able to say what to
 * write instead.
 */
import { MESSAGE_TYPES } from "@candor/envelope";
import { type Static, Type } from "typebox";
import { closed, FieldFormat, SENTENCE, VERSION } from "./field-format.ts";
import {
  CONSENT_RULES,
  DEFAULT_MAX_PER_MINUTE,
  IP_POLICIES,
  PLAN_MODES,
  PLAN_SOURCES,
  USER_AGENT_POLICIES,
} from "./plan.ts";

const DAYS = { minimum: 1, maximum: 3650 };
const DATE = { pattern: "^\\d{4}-\\d{2}-\\d{2}$", examples: ["2026-03-31"] };

const ROUTE = {
  pattern: "^#?(?:/|/\\*|(?:/(?::[A-Za-z][A-Za-z0-9_]*|[A-Za-z0-9._~-]+))+(?:/\\*)?)$",
  maxLength: 128,
  examples: ["/app/:app/:page/edit"],
};

const VARIABLE = { pattern: "^[A-Z_][A-Z0-9_]*$", examples: ["PRODUCT_DISABLE_TELEMETRY"] };
const VARIABLES = Type.Unsafe<string | [string, ...string[]]>({
  type: ["string", "array"],
  ...VARIABLE,
  items: { type: "string", ...VARIABLE },
  minItems: 1,
  maxItems: 8,
  description: "Environment variable that turns everything off, or a list of variables that each do.",
});

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
        examples: ["properties.instanceId"],
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
      examples: ["https://github.com/example/product/pull/12"],
      description: "An absolute URL of where it was discussed and agreed.",
    }),
    expires: Type.Optional(
      Type.String({ ...DATE, description: "`YYYY-MM-DD`; from then on it is refused." }),
    ),
    consent: Type.Optional(
      Type.Enum([...CONSENT_RULES], { description: "Where it differs from its source's." }),
    ),
    max_per_minute: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: DEFAULT_MAX_PER_MINUTE,
        description:
          "The most that one process with the SDK for servers sends of it in a minute. Of the others only their number is sent.",
      }),
    ),
    routes: Type.Optional(
      Type.Array(Type.String({ ...ROUTE, description: "The template of a page's address." }), {
        minItems: 1,
        maxItems: 32,
        description:
          "The pages on whose opening the browser SDK sends it: `:name` stands for one segment of the path, a `*` at the end for the rest, `#/...` for a route in the fragment.",
      }),
    ),
    selector: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: "^[^{}<;\\\\]*$",
        examples: [".deploy-button"],
        description:
          'The controls on whose click the browser SDK sends it, as a CSS selector. Controls with `data-telemetry="NAME"` need none.',
      }),
    ),
    heartbeat: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          "This event says that an instance is alive: reports count instances by it. One `track` event of `server`.",
      }),
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
        disable: VARIABLES,
        opt_in: Type.Optional(
          Type.String({
            ...VARIABLE,
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
