/**
 * Serves the maker's declarations for reports: which instances to leave out, and which versions are releases.
 */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { exclude, listExclusions, readExclusion } from "../reports/exclusions.ts";
import { declareRelease, listDeclarations, readDeclaration } from "../reports/releases.ts";
import { whileStoreAnswers } from "../store/client.ts";
import type { ApiDependencies, OnRequest } from "./dependencies.ts";
import { FAULTS, SECURED } from "./schema.ts";

const Text = Type.String();
const Who = {
  instance: Type.Optional(Type.String({ description: "The id of one instance." })),
  facts: Type.Optional(
    Type.Record(Text, Text, {
      description:
        'All instances with these facts, such as {"edition": "internal"}; "" is a fact that is not told.',
    }),
  ),
  network: Type.Optional(
    Type.String({
      description:
        "All instances whose server sends from this network, a /24 of IPv4 or a /48 of IPv6, from now on. Only a keyed hash of it is kept.",
    }),
  ),
  reason: Type.Optional(Text),
};
const SUCCESS = { 200: Type.Object({ success: Type.Boolean() }), ...FAULTS };

const EXCLUSIONS = {
  summary: "Instances that reports leave out",
  security: SECURED,
  response: { 200: Type.Object({ exclusions: Type.Array(Type.Object(Who)) }), ...FAULTS },
};

const EXCLUDE = {
  summary: "Leaves an instance, or all instances with certain facts, out of reports, or counts them again",
  security: SECURED,
  body: Type.Object({
    ...Who,
    excluded: Type.Optional(Type.Boolean({ description: "false: counts them again." })),
  }),
  response: SUCCESS,
};

const RELEASES = {
  summary: "What was said of versions, newest version first",
  security: SECURED,
  response: {
    200: Type.Object({
      releases: Type.Array(
        Type.Object({
          version: Text,
          isRelease: Type.Boolean(),
          releasedAt: Type.Union([Text, Type.Null()]),
        }),
      ),
    }),
    ...FAULTS,
  },
};

const RELEASE = {
  summary: "Says that a version is a release and since when, or that it is none",
  security: SECURED,
  body: Type.Object({
    version: Type.String({ description: "As instances report it, such as 2.4.0." }),
    releasedAt: Type.Optional(Type.String({ description: "A day, or a time in RFC 3339." })),
    isRelease: Type.Optional(
      Type.Union([Type.Boolean(), Type.Null()], {
        description: "Default true. null: by itself again, once three instances run it.",
      }),
    ),
  }),
  response: SUCCESS,
};

export function addDeclarationRoutes(
  app: FastifyInstance,
  { store, plan, now, pseudonym, ownNetworks }: ApiDependencies,
  onRequest: OnRequest,
): void {
  app.get("/api/exclusions", { schema: EXCLUSIONS, onRequest }, async (_request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return { exclusions: await listExclusions(store) };
  });
  app.post("/api/exclusions", { schema: EXCLUDE, onRequest }, async (request) => {
    await exclude(store, readExclusion(request.body, plan.current().plan), now(), pseudonym);
    await whileStoreAnswers(ownNetworks.reload);
    return { success: true };
  });
  app.get("/api/releases", { schema: RELEASES, onRequest }, async (_request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return { releases: await listDeclarations(store) };
  });
  app.post("/api/releases", { schema: RELEASE, onRequest }, async (request) => {
    await declareRelease(store, readDeclaration(request.body), now());
    return { success: true };
  });
}
