/** Describes the report about browsers as OpenAPI. */
import { Type } from "typebox";
import { Count, describe, HEAD, Share, Text } from "./report-schema.ts";

const Use = { visits: Count, instances: Count };
const OfVisits = { visits: Count, share: Share };

export const CLIENT = describe("What browsers did: visits, routes, controls, flows, languages and browsers", {
  ...HEAD,
  instances: Type.Integer({ description: "Counted instances with a message of the client." }),
  share: Share,
  messages: Count,
  messagesLeftOut: Type.Integer({
    description: "Of instances that are left out, or without an instance's id.",
  }),
  visits: Type.Object({
    visits: Count,
    byDay: Type.Array(Type.Object({ day: Text, visits: Count })),
    views: Type.Union([Type.Object({ median: Count, p90: Count }), Type.Null()]),
    length: Type.Union([Type.Object({ medianMs: Count, p90Ms: Count }), Type.Null()]),
  }),
  routes: Type.Array(Type.Object({ route: Text, views: Count, ...Use })),
  controls: Type.Array(Type.Object({ control: Text, clicks: Count, ...Use })),
  flows: Type.Array(Type.Object({ from: Text, to: Text, count: Count, ...Use })),
  locales: Type.Array(Type.Object({ locale: Text, ...OfVisits })),
  browsers: Type.Array(Type.Object({ browser: Text, ...OfVisits })),
  systems: Type.Array(Type.Object({ system: Text, ...OfVisits })),
});
