/** Serves the comparison of rollups with the events, and the rebuild of rollups. */
import { isRecord } from "@candor/envelope/unknown-value";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { invalidQuery } from "../errors.ts";
import { whileStoreAnswers } from "../store/client.ts";
import { monthsWithRows } from "../store/rollups.ts";
import type { ApiDependencies, OnRequest } from "./dependencies.ts";
import { FAULTS, SECURED } from "./schema.ts";

const MAX_MONTHS = 120;
const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

const Month = Type.String({ description: "Month in which messages were received, `YYYY-MM`, UTC." });
const Count = Type.Integer();

const COMPARE = {
  summary: "Where the tables that reports read differ from the events: nowhere, unless there is a bug",
  security: SECURED,
  response: {
    200: Type.Object({
      months: Type.Array(Month, { description: "All months of which there is anything." }),
      differences: Type.Array(
        Type.Object({ month: Month, rollup: Type.String(), events: Count, counted: Count }),
      ),
    }),
    ...FAULTS,
  },
};

const REBUILD = {
  summary: "Rebuilds the tables that reports read from the events; reports can be read meanwhile",
  security: SECURED,
  response: { 200: Type.Object({ months: Type.Array(Month) }), ...FAULTS },
};

export function addRebuildRoutes(
  app: FastifyInstance,
  { store, planStore }: ApiDependencies,
  onRequest: OnRequest,
): void {
  app.get("/api/rebuild", { schema: COMPARE, onRequest }, async (_request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return whileStoreAnswers(async () => {
      const differences = await planStore.compare();
      return {
        months: (await monthsWithRows(store)).map(toText),
        differences: differences.map((one) => ({ ...one, month: toText(one.month) })),
      };
    });
  });
  app.post("/api/rebuild", { schema: REBUILD, onRequest }, async (request) => {
    const given = readMonths(request.body);
    return whileStoreAnswers(async () => {
      const months = given ?? (await monthsWithRows(store));
      await planStore.noteMonths(months);
      await planStore.rebuild();
      return { months: months.map(toText) };
    });
  });
}

/**
 * Reads the body of a request to rebuild. Undefined means all months.
 * @throws CandorError `query_invalid`
 */
function readMonths(body: unknown): readonly number[] | undefined {
  if (body === undefined || body === null) return undefined;
  const { months, ...others } = isRecord(body) ? body : { others: body };
  if (Object.keys(others).length > 0) throw invalidQuery(`The body has only "months", a list.`);
  if (months === undefined) return undefined;
  const isList = Array.isArray(months) && months.length > 0 && months.length <= MAX_MONTHS;
  if (!isList || !months.every((month) => typeof month === "string" && MONTH.test(month)))
    throw invalidQuery(`months is a list of 1 to ${MAX_MONTHS} months, such as ["2026-01"].`);
  return [...new Set(months.map((month: string) => Number(month.replace("-", ""))))];
}

/** Formats 202601 as `2026-01`. */
function toText(month: number): string {
  return `${Math.floor(month / 100)}-${String(month % 100).padStart(2, "0")}`;
}
