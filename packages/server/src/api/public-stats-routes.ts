/** Serves the public statistics, if the maker publishes them. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { createPublicStats } from "../reports/public-stats.ts";
import { renderStatsBadge, renderStatsPage } from "../reports/public-stats-page.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { FAULTS } from "./schema.ts";

const Text = Type.String();
const Count = Type.Integer();

const STATS_JSON = {
  summary: "Public statistics, in multiples of minGroup; 404 unless CANDOR_PUBLIC_STATS is set",
  response: {
    200: Type.Object({
      product: Text,
      from: Text,
      to: Text,
      minGroup: Count,
      instances: Count,
      facts: Type.Array(
        Type.Object({ name: Text, values: Type.Array(Type.Object({ value: Text, instances: Count })) }),
      ),
    }),
    ...FAULTS,
  },
};
const STATS = { summary: "The same as a page", produces: ["text/html"] };
const BADGE = { summary: "How many instances are active, as a picture", produces: ["image/svg+xml"] };

const MAX_AGE = "public, max-age=3600";

/** @param minGroup the smallest group that is published @param csp the policy of the page */
export function addPublicStatsRoutes(
  app: FastifyInstance,
  deps: ApiDependencies,
  minGroup: number,
  csp: string,
): void {
  const privacyHref = deps.isOneOfSeveral === true ? `../privacy/${deps.name}` : "privacy";
  const read = createPublicStats(deps, minGroup, deps.now);
  app.get("/stats.json", { schema: STATS_JSON }, async (_request, reply) => {
    const stats = await read();
    return reply.header("Cache-Control", MAX_AGE).header("Access-Control-Allow-Origin", "*").send(stats);
  });
  app.get("/stats", { schema: STATS }, async (_request, reply) => {
    const page = renderStatsPage(await read(), privacyHref);
    return reply
      .header("Content-Security-Policy", csp)
      .header("Cache-Control", MAX_AGE)
      .type("text/html; charset=utf-8")
      .send(page);
  });
  app.get("/stats.svg", { schema: BADGE }, async (_request, reply) => {
    const badge = renderStatsBadge(await read());
    return reply
      .header("Cache-Control", MAX_AGE)
      .header("Cross-Origin-Resource-Policy", "cross-origin")
      .type("image/svg+xml; charset=utf-8")
      .send(badge);
  });
}
