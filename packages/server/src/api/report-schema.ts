/** Describes the reports as OpenAPI. */
import { Type } from "typebox";
import { COMMON, FORMATS } from "./report-parameters.ts";
import { FAULTS, PLAN_REPORT, SECURED } from "./schema.ts";

export const PLAN = PLAN_REPORT;

export const Share = Type.Union([Type.Number(), Type.Null()], {
  description: "From 0 to 1; null if there is nothing to divide by.",
});
export const Count = Type.Integer();
export const Text = Type.String();

export const HEAD = {
  from: Text,
  to: Text,
  zone: Text,
  asOf: Type.String({ format: "date-time", description: "What was received until then is counted." }),
  base: Type.Object(
    {
      instances: Count,
      leftOut: Type.Array(Type.Object({ reason: Text, instances: Count })),
    },
    { description: "Who was counted, and who was not and why." },
  ),
};

const Active = Type.Object(
  { days1: Count, days7: Count, days28: Count, newInstances: Count },
  {
    description:
      "Instances with a heartbeat in the last 1, 7 and 28 days, and those first seen in the period.",
  },
);
const ByDay = Type.Array(Type.Object({ day: Text, instances: Count }));
const Facts = Type.Record(Type.String(), Type.String());

type Shape = Parameters<typeof Type.Object>[0];

export function describe(summary: string, answer: Shape, parameters: Shape = {}) {
  return {
    summary,
    description:
      "Also takes `facts.NAME=value` for each fact of the plan; values of one name are joined by or.",
    security: SECURED,
    querystring: Type.Object({ ...COMMON, ...parameters, ...FORMATS }),
    response: { 200: Type.Object(answer), ...FAULTS },
  };
}

export const BASE = describe("Who counts in a period", HEAD);

export const OVERVIEW = describe("Active instances, installs and the newest release", {
  ...HEAD,
  active: Active,
  activeBefore: Active,
  activeByDay: ByDay,
  installs: Type.Object({ installs: Count, successShare: Share }),
  newestVersion: Type.Union([Type.Object({ version: Text, share: Share }), Type.Null()]),
});

export const INSTANCES = describe("How many instances are active and stay, and those that were copied", {
  ...HEAD,
  active: Active,
  statuses: Type.Object({ alive: Count, late: Count, lapsed: Count, gone: Count }),
  activeByDay: ByDay,
  survival: Type.Array(
    Type.Object({ week: Text, instances: Count, day1: Count, day7: Count, day28: Count, day90: Count }),
  ),
  cloned: Type.Array(
    Type.Object({
      instanceId: Text,
      boots: Type.Integer({ description: "Starts that sent a heartbeat in these days." }),
      firstSeen: Type.String({ format: "date-time" }),
      lastSeen: Type.String({ format: "date-time" }),
    }),
    { description: "At most 1000, last seen first." },
  ),
});

export const INSTANCE_LIST = describe(
  "The instances of the period, a page at a time",
  {
    ...HEAD,
    instances: Type.Array(
      Type.Object({
        instanceId: Text,
        firstSeen: Text,
        lastSeen: Text,
        activeDays: Count,
        facts: Facts,
        country: Text,
        leftOut: Text,
      }),
    ),
  },
  {
    search: Type.Optional(Type.String({ description: "The beginning of an id." })),
    sort: Type.Optional(Type.String({ description: "last-seen (default), first-seen, active-days, id." })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 })),
    everyone: Type.Optional(Type.String({ description: "true: also instances that are left out." })),
  },
);

export const TIMELINE = describe(
  "One instance's days",
  {
    instanceId: Text,
    from: Text,
    to: Text,
    days: Type.Array(
      Type.Object({ day: Text, heartbeats: Count, firstSeen: Text, lastSeen: Text, facts: Facts }),
    ),
  },
  { instance: Type.String({ description: "The instance's id." }) },
);

const Failures = Type.Object({
  version: Text,
  uses: Count,
  failedShare: Type.Number(),
  interval: Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: "95 % (Wilson)." }),
});

export const VERSIONS = describe("Versions by instances, upgrades, and failures of the newest release", {
  ...HEAD,
  versions: Type.Array(
    Type.Object({
      version: Text,
      instances: Count,
      share: Share,
      atLeastShare: Share,
      isPrerelease: Type.Boolean(),
      isRelease: Type.Boolean(),
      releasedAt: Type.Union([Text, Type.Null()]),
    }),
  ),
  byWeek: Type.Array(Type.Object({ week: Text, version: Text, instances: Count })),
  upgrade: Type.Union([
    Type.Object({
      version: Text,
      upgraded: Count,
      notUpgraded: Count,
      medianMs: Type.Union([Type.Number(), Type.Null()]),
      p90Ms: Type.Union([Type.Number(), Type.Null()]),
    }),
    Type.Null(),
  ]),
  regression: Type.Union([
    Type.Object({ release: Failures, before: Failures, isWorse: Type.Boolean() }),
    Type.Null(),
  ]),
});

export const FACTS = describe("What instances run on, beside the period before", {
  ...HEAD,
  facts: Type.Array(
    Type.Object({
      name: Text,
      values: Type.Array(
        Type.Object({
          value: Text,
          instances: Count,
          share: Share,
          instancesBefore: Count,
          shareBefore: Share,
        }),
      ),
    }),
  ),
});

export const FEATURES = describe(
  "Features by the instances that used them, with outcomes and durations",
  {
    ...HEAD,
    atLeast: Count,
    features: Type.Array(
      Type.Object({
        source: Text,
        event: Text,
        value: Type.Optional(Text),
        instances: Count,
        share: Share,
        count: Count,
        successShare: Share,
        durations: Type.Union([
          Type.Object({ count: Count, p50Ms: Type.Number(), p95Ms: Type.Number(), p99Ms: Type.Number() }),
          Type.Null(),
        ]),
      }),
    ),
  },
  {
    at_least: Type.Optional(
      Type.Integer({ minimum: 1, default: 1, description: "Uses from which an instance counts." }),
    ),
    by: Type.Optional(Type.String({ description: "A dimension, or a fact of usage events." })),
  },
);

const INSTALL_COUNTS = {
  installs: Count,
  outcomes: Type.Array(Type.Object({ outcome: Text, installs: Count, share: Share })),
  errors: Type.Array(Type.Object({ error: Text, installs: Count })),
  systems: Type.Array(Type.Object({ os: Text, installs: Count, successShare: Share })),
  byDay: Type.Array(Type.Object({ day: Text, installs: Count, succeeded: Count })),
  medianDurationMs: Type.Union([Type.Number(), Type.Null()]),
  ledToInstance: Type.Union(
    [
      Type.Object({
        succeeded: Count,
        share: Share,
        notSucceeded: Count,
        medianToHeartbeatMs: Type.Union([Type.Number(), Type.Null()]),
      }),
      Type.Null(),
    ],
    { description: "null if the plan's heartbeat does not declare `installId`." },
  ),
};

export const INSTALLS = describe(
  "Installs: outcomes, errors, systems and durations, beside the period before",
  {
    ...HEAD,
    ...INSTALL_COUNTS,
    before: Type.Object(INSTALL_COUNTS),
  },
);

export const SUPPORT = {
  summary: "How many people asked for support, and about what",
  security: SECURED,
  querystring: Type.Object({ from: COMMON.from, to: COMMON.to, ...FORMATS }),
  response: {
    200: Type.Object({
      from: Text,
      to: Text,
      requests: Count,
      requestsBefore: Count,
      byDay: Type.Array(Type.Object({ day: Text, requests: Count })),
      fields: Type.Array(
        Type.Object({ name: Text, values: Type.Array(Type.Object({ value: Text, requests: Count })) }),
      ),
    }),
    ...FAULTS,
  },
};

const ANONYMITY_OF = {
  values: Count,
  instances: Count,
  smallestGroup: Count,
  singledOut: Type.Integer({ description: "Instances with a value that no other has." }),
  singledOutShare: Share,
  entropyBits: Type.Number(),
};

export const ANONYMITY = describe(
  "How many instances each stored field, and all facts together, single out",
  {
    ...HEAD,
    facts: Type.Object(ANONYMITY_OF),
    instances: Type.Integer({ description: "Instances that the events of these days are of." }),
    fields: Type.Array(
      Type.Object({
        event: Text,
        name: Text,
        ...ANONYMITY_OF,
        isIdentifying: Type.Boolean({
          description:
            "Singles out a tenth or more of at least 20 instances, and is neither their id nor a duration.",
        }),
        help: Type.Optional(Text),
      }),
    ),
  },
);
