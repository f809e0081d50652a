/** Serves the reports. */
import type { FastifyInstance } from "fastify";
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
import { type Period, type PeriodOptions, readPeriod } from "../reports/period.ts";
import { reportPlan } from "../reports/plan-report.ts";
import { reportSupport } from "../reports/support-report.ts";
import { reportVersions } from "../reports/versions-report.ts";
import { CLIENT } from "./client-report-schema.ts";
import { type ApiDependencies, type OnRequest, parametersOf } from "./dependencies.ts";
import * as explore from "./explore-schema.ts";
import * as schemas from "./report-schema.ts";

interface Report extends Pick<PeriodOptions, "others" | "repeated" | "isOfAll"> {
  readonly schema: object;
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
  for (const [name, { schema, run, ...options }] of Object.entries(REPORTS)) {
    app.get(`/api/reports/${name}`, { schema, onRequest }, async (request, reply) => {
      const parameters = parametersOf(request);
      const period = readPeriod(parameters, { plan: plan.current().plan, nowMs: now(), ...options });
      void reply.header("Cache-Control", "no-store");
      return run(deps, period, parameters);
    });
  }
}
