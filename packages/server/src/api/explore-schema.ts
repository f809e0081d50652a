/** Describes the reports of the maker's own questions as OpenAPI. */
import { Type } from "typebox";
import { Count, describe, HEAD, Share, Text } from "./report-schema.ts";

const Event = Type.String({
  description: "The event's name in the plan; with its type if two have the name.",
});

const EXPLORED = {
  count: Type.Integer({ description: "Events." }),
  instances: Count,
  share: Share,
  people: Type.Optional(Type.Integer({ description: "Pseudonyms within an instance, added up." })),
  values: Type.Optional(Type.Integer({ description: "Events that have a number." })),
  sum: Type.Optional(Type.Number()),
  percentiles: Type.Optional(
    Type.Union([
      Type.Object({
        min: Type.Number(),
        p50: Type.Number(),
        p95: Type.Number(),
        p99: Type.Number(),
        max: Type.Number(),
      }),
      Type.Null(),
    ]),
  ),
};

export const EXPLORE = describe(
  "One event by up to three properties: how often, by whom, how much",
  {
    ...HEAD,
    event: Text,
    measure: Text,
    of: Type.Optional(Text),
    by: Type.Array(Text),
    total: Type.Object(EXPLORED),
    groups: Type.Integer({ description: "All groups; `rows` has at most 1000, the largest." }),
    rows: Type.Array(Type.Object({ by: Type.Array(Text), ...EXPLORED })),
  },
  {
    event: Event,
    measure: Type.Optional(
      Type.String({ description: "count (default), instances, people, sum, percentiles." }),
    ),
    of: Type.Optional(Type.String({ description: "The number for sum and percentiles." })),
    by: Type.Optional(
      Type.String({
        description:
          "A property, day, week, hour, country (of the instance) or facts.NAME. May be given three times.",
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 1000 })),
  },
);

export const FUNNEL = describe(
  "How many go through events in their order, and where the others stop",
  {
    ...HEAD,
    who: Text,
    windowMinutes: Count,
    steps: Type.Array(
      Type.Object({
        event: Text,
        reached: Count,
        share: Share,
        medianMs: Type.Union([Type.Number(), Type.Null()]),
      }),
    ),
  },
  {
    step: Type.String({ description: "An event's name. Given 2 to 8 times, in the order of the funnel." }),
    window_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 129_600, default: 1440 })),
    who: Type.Optional(Type.String({ description: "instances (default), people." })),
  },
);

export const COHORTS = describe(
  "Instances by their first week or first facts: how many do an event in each week of their lives",
  {
    ...HEAD,
    event: Text,
    cohort: Text,
    groups: Type.Integer({ description: "All cohorts; `cohorts` has at most 1000." }),
    cohorts: Type.Array(
      Type.Object({
        cohort: Text,
        instances: Count,
        weeks: Type.Array(Type.Object({ week: Count, instances: Count, used: Count, share: Share })),
      }),
    ),
  },
  {
    event: Type.Optional(Type.String({ description: "The event's name; default the heartbeat." })),
    cohort: Type.Optional(
      Type.String({ description: "week (default) or facts.NAME, each as of the first heartbeat." }),
    ),
    weeks: Type.Optional(Type.Integer({ minimum: 1, maximum: 105, default: 12 })),
  },
);
