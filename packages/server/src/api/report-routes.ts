/** Serves the reports. */
import { factsOf, PLAN_SOURCES, type Plan } from "@candor/plan";
import type { FastifyInstance } from "fastify";
import { invalidQuery } from "../errors.ts";
import { createTableWriter, TABLE_FORMATS, type TableFormat } from "../formats/table-writer.ts";
import { reportAnonymity } from "../reports/anonymity-report.ts";
import { readHead } from "../reports/ask.ts";
import { reportClient } from "../reports/client-report.ts";
import { COHORT_PARAMETERS, COHORT_REPEATED, reportCohorts } from "../reports/cohorts-report.ts";
import { EXPLORE_PARAMETERS, EXPLORE_REPEATED, reportExplore } from "../reports/explore-report.ts";
import { reportFacts } from "../reports/facts-report.ts";
import { FEATURE_PARAMETERS, reportFeatures } from "../reports/features-report.ts";
import { FUNNEL_PARAMETERS, FUNNEL_REPEATED, reportFunnel } from "../reports/funnel-report.ts";
import { reportInstalls } from "../reports/installs-report.ts";
import {
  LIST_PARAMETERS,
  listInstances,
  readTimeline,
  reportInstances,
} from "../reports/instances-report.ts";
import { reportOverview } from "../reports/overview-report.ts";
import { type Period, type PeriodOptions, readOne, readPeriod } from "../reports/period.ts";
import { reportPlan } from "../reports/plan-report.ts";
import { reportSupport } from "../reports/support-report.ts";
import { reportVersions } from "../reports/versions-report.ts";
import { paceQueries } from "../store/paced-store.ts";
import { CLIENT } from "./client-report-schema.ts";
import { type ApiDependencies, type OnRequest, parametersOf } from "./dependencies.ts";
import * as explore from "./explore-schema.ts";
import * as schemas from "./report-schema.ts";
import { type ReportTable, tablesOf } from "./report-tables.ts";

interface Report extends Pick<PeriodOptions, "others" | "repeated" | "isOfAll"> {
  readonly schema: { readonly response: { readonly 200: object } };
  readonly run: (deps: ApiDependencies, period: Period, parameters: URLSearchParams) => Promise<object>;
}

/** The reports by their path under `/api/reports/`. */
const REPORTS: Readonly<Record<string, Report>> = {
  overview: { schema: schemas.OVERVIEW, run: reportOverview },
  installs: { schema: schemas.INSTALLS, run: reportInstalls },
  instances: { schema: schemas.INSTANCES, run: reportInstances },
  "instances/list": { schema: schemas.INSTANCE_LIST, others: LIST_PARAMETERS, run: listInstances },
  "instances/timeline": { schema: schemas.TIMELINE, others: ["instance"], isOfAll: true, run: readTimeline },
  versions: { schema: schemas.VERSIONS, run: reportVersions },
  facts: { schema: schemas.FACTS, run: reportFacts },
  features: { schema: schemas.FEATURES, others: FEATURE_PARAMETERS, run: reportFeatures },
  client: { schema: CLIENT, run: reportClient },
  explore: {
    schema: explore.EXPLORE,
    others: EXPLORE_PARAMETERS,
    repeated: EXPLORE_REPEATED,
    run: reportExplore,
  },
  "explore/funnel": {
    schema: explore.FUNNEL,
    others: FUNNEL_PARAMETERS,
    repeated: FUNNEL_REPEATED,
    run: reportFunnel,
  },
  "explore/cohorts": {
    schema: explore.COHORTS,
    others: COHORT_PARAMETERS,
    repeated: COHORT_REPEATED,
    run: reportCohorts,
  },
  anonymity: { schema: schemas.ANONYMITY, run: reportAnonymity },
  support: { schema: schemas.SUPPORT, isOfAll: true, run: reportSupport },
  base: { schema: schemas.BASE, run: readHead },
  plan: { schema: schemas.PLAN, isOfAll: true, run: reportPlan },
};

export function addReportRoutes(app: FastifyInstance, deps: ApiDependencies, onRequest: OnRequest): void {
  const { plan, now } = deps;
  const paced = { ...deps, store: paceQueries(deps.store, deps.load) };
  for (const [name, { schema, run, ...options }] of Object.entries(REPORTS)) {
    const tables = tablesOf(schema.response[200]);
    app.get(`/api/reports/${name}`, { schema, onRequest }, async (request, reply) => {
      const parameters = parametersOf(request);
      const { plan: inForce } = plan.current();
      const period = readPeriod(parameters, { plan: inForce, nowMs: now(), ...options });
      const written = readTable(parameters, tables);
      void reply.header("Cache-Control", "no-store");
      const answer = await run(paced, period, parameters);
      if (written === undefined) return answer;
      const { format, table } = written;
      const file = ["candor", ...name.split("/"), table.name, period.from, period.to].join("-");
      return reply
        .type(CONTENT_TYPES[format])
        .header("Content-Disposition", `attachment; filename="${file}.${format}"`)
        .send(writeTable(table, answer, format, inForce));
    });
  }
}

const CONTENT_TYPES: Readonly<Record<TableFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  ndjson: "application/x-ndjson; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
};

/**
 * Reads `format` and `table`. Returns undefined for JSON.
 * @throws CandorError `query_invalid`
 */
function readTable(
  parameters: URLSearchParams,
  tables: readonly ReportTable[],
): { readonly format: TableFormat; readonly table: ReportTable } | undefined {
  const format = readOne(parameters, "format", ["json", ...TABLE_FORMATS], "json");
  const names = tables.map(({ name }) => name);
  if (format !== "json") {
    const wanted = readOne(parameters, "table", names, names[0] ?? "");
    const table = tables.find(({ name }) => name === wanted);
    if (table !== undefined) return { format, table };
  } else if (parameters.has("table"))
    throw invalidQuery("JSON has all tables. Write table only beside format=csv, ndjson or parquet.");
  return undefined;
}

function writeTable(table: ReportTable, answer: object, format: TableFormat, plan: Plan): Buffer {
  const { columns, rows } = table.read(answer, { facts: factsOf(plan), modes: PLAN_SOURCES });
  const writer = createTableWriter(format, columns);
  return Buffer.concat([writer.add(rows), writer.end()]);
}
