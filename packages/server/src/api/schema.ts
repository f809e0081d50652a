/** Describes the read API as OpenAPI. */
import { MESSAGE_TYPES } from "@candor/envelope";
import { PLAN_MODES } from "@candor/plan";
import { Type } from "typebox";
import { SOURCES } from "../config.ts";
import { DEFAULT_LIMIT, MAX_LIMIT } from "../query/events.ts";
import { FORMATS } from "./report-parameters.ts";

/**
 * The general part of the read API's OpenAPI document, which is served at /api/openapi.json. The routes add
 * the rest. The ingest API is described in docs/http-api.md instead.
 */
export const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "Candor read API",
    version: "1",
    description:
      "Reads what the collector has accepted. The token is the admin token that `candor keys` prints. If the collector serves several products, each request below /api/ names one in the parameter `product`, except for /api/products, which lists them.",
  },
  components: { securitySchemes: { adminToken: { type: "http", scheme: "bearer" } } },
} as const;

export const SECURED = [{ adminToken: [] }];

const ErrorAnswer = Type.Object(
  { success: Type.Literal(false), code: Type.String(), message: Type.String(), error: Type.String() },
  { description: "What went wrong and what to do; docs/errors.md lists the codes." },
);
export const FAULTS = { 400: ErrorAnswer, 401: ErrorAnswer, 503: ErrorAnswer };

const FILTERS = {
  source: Type.Optional(Type.Enum([...SOURCES])),
  event: Type.Optional(Type.String({ description: "Name of the event (track)." })),
  type: Type.Optional(Type.Enum([...MESSAGE_TYPES])),
  messageId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  anonymousId: Type.Optional(Type.String()),
  from: Type.Optional(Type.String({ format: "date-time", description: "Earliest timestamp, inclusive." })),
  to: Type.Optional(Type.String({ format: "date-time", description: "Latest timestamp, exclusive." })),
};
const PATHS = {
  description:
    "Beside these, any properties.<path>=value, traits.<path>=value, context.<path>=value. A path names nested keys with dots, and positions in arrays by number from 0; a backslash makes a dot part of a name. A value matches a string that is equal to it, a number that it spells (8, 8.0, 8e0), true, false and null, and an array with such an element.",
};

const Envelope = Type.Object(
  {
    type: Type.Enum([...MESSAGE_TYPES]),
    event: Type.Optional(Type.String()),
    messageId: Type.String(),
    userId: Type.Optional(Type.String()),
    anonymousId: Type.Optional(Type.String()),
    context: Type.Object({}, { additionalProperties: true }),
    integrations: Type.Object({}, { additionalProperties: true }),
    properties: Type.Optional(Type.Object({}, { additionalProperties: true })),
    traits: Type.Optional(Type.Object({}, { additionalProperties: true })),
    originalTimestamp: Type.Optional(Type.String({ format: "date-time" })),
    sentAt: Type.Optional(Type.String({ format: "date-time" })),
    timestamp: Type.String({ format: "date-time" }),
    receivedAt: Type.String({ format: "date-time" }),
    candor: Type.Object({
      source: Type.Enum([...SOURCES]),
      country: Type.Optional(
        Type.String({ description: "ISO 3166 alpha-2, looked up before the address was cut." }),
      ),
      planVersion: Type.Integer({ description: "Version of the collector's plan, which gave the verdict." }),
      sentPlanVersion: Type.Optional(
        Type.Integer({
          description: "Version of the plan that the sender's SDK has; absent when it did not say.",
        }),
      ),
      skipped: Type.Optional(
        Type.Integer({
          description:
            "Messages of this event that the sender's SDK did not record since the one before, because there were more than the plan's max_per_minute.",
        }),
      ),
      trimmed: Type.Optional(
        Type.Array(Type.String(), {
          description: "Declared paths at which something was removed or changed.",
        }),
      ),
    }),
  },
  {
    additionalProperties: true,
    description: "A message exactly as it was accepted, with what Candor says of it.",
  },
);

export const EVENTS = {
  summary: "Events, newest first by receipt; within one request, last sent first",
  security: SECURED,
  ...PATHS,
  querystring: Type.Object({
    ...FILTERS,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })),
    cursor: Type.Optional(Type.String({ description: "The field `next` of the page before." })),
  }),
  response: {
    200: Type.Object({ events: Type.Array(Envelope), next: Type.Union([Type.String(), Type.Null()]) }),
    ...FAULTS,
  },
};

export const COUNT = {
  summary: "Number of distinct messageIds",
  security: SECURED,
  ...PATHS,
  querystring: Type.Object(FILTERS),
  response: { 200: Type.Object({ count: Type.Integer() }), ...FAULTS },
};

export const LIVE = {
  summary: "Messages as they come in, each with its verdict",
  security: SECURED,
  description:
    'Server-sent events. `message`: {"verdict":"kept","source",envelope} or {"verdict":"dropped","reason","source","message"}; `missed`: {"missed":n} when the reader is too slow. Filters as in /api/events, with the same answers.',
  querystring: Type.Object(FILTERS),
  produces: ["text/event-stream"],
};

const Counted = {
  source: Type.String(),
  event: Type.String({ description: "The declared event; `*` for one that is not in the plan." }),
  reason: Type.String(),
  count: Type.Integer(),
};

const DAYS = {
  from: Type.Optional(Type.String({ description: "First day (or time), default 30 days ago." })),
  to: Type.Optional(Type.String({ description: "Last day (or time), default today." })),
};

export const PLAN_REPORT = {
  summary: "The plan in force, and what it took from messages or refused, by declared path and reason",
  security: SECURED,
  querystring: Type.Object({ ...DAYS, ...FORMATS }),
  response: {
    200: Type.Object({
      product: Type.String(),
      planVersion: Type.Integer(),
      fault: Type.Optional(Type.String({ description: "Why the plan's file as it is now is not in force." })),
      modes: Type.Record(Type.String(), Type.Enum([...PLAN_MODES])),
      from: Type.String(),
      to: Type.String(),
      trimmed: Type.Array(Type.Object({ ...Counted, path: Type.String() })),
      refused: Type.Array(Type.Object(Counted)),
    }),
    ...FAULTS,
  },
};

export const CONTACTS = {
  summary: "Contacts that people gave when they asked for support, newest day first",
  security: SECURED,
  querystring: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })),
  }),
  response: {
    200: Type.Object({
      contacts: Type.Array(
        Type.Object({ day: Type.String(), contact: Type.String() }, { additionalProperties: true }),
      ),
    }),
    ...FAULTS,
  },
};

export const FORGET = {
  summary:
    "Deletes what is kept of an instance, a user or a contact; answers when it is gone, with a receipt",
  security: SECURED,
  body: Type.Object(
    {
      instance: Type.Optional(Type.String()),
      user: Type.Optional(Type.String()),
      contact: Type.Optional(Type.String()),
    },
    { description: "Exactly one of them." },
  ),
  response: { 200: Type.Object({}, { additionalProperties: true }), ...FAULTS },
};

export const SQL = {
  summary: "Runs one query that only reads: at most 60 s, 500 MB of memory, 100,000 rows",
  security: SECURED,
  body: Type.Object({
    query: Type.String({ description: "A SELECT, also with WITH, on the tables of docs/sql.md." }),
    format: Type.Optional(Type.Union([Type.Literal("csv"), Type.Literal("ndjson")], { default: "csv" })),
  }),
  response: FAULTS,
};

export const PRIVACY = { summary: "What is collected, for people", produces: ["text/html"] };
export const PRIVACY_JSON = { summary: "The plan in force, as JSON" };

export const HEALTH = {
  summary: "The process runs",
  response: { 200: Type.Object({ status: Type.Literal("ok") }) },
};
export const READY = {
  summary: "Messages can be accepted durably, also while the store is away",
  response: { 200: Type.Object({ status: Type.Literal("ready") }), 503: ErrorAnswer },
};
export const METRICS = { summary: "Counters in Prometheus' text format", produces: ["text/plain"] };
export const OPENAPI_DOCUMENT = { summary: "This document", hide: true };
