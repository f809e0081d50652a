/** Describes the parameters that reports share as OpenAPI. */
import { Type } from "typebox";

/** What the reports on a population take, besides `facts.NAME`. */
export const COMMON = {
  from: Type.Optional(Type.String({ description: "First day, `YYYY-MM-DD`; default 27 days before `to`." })),
  to: Type.Optional(Type.String({ description: "Last day; default today." })),
  zone: Type.Optional(
    Type.String({ description: "IANA zone of the days, such as Asia/Kathmandu; default UTC." }),
  ),
  environment: Type.Optional(
    Type.String({
      description: "production (default; also instances that do not tell), development, test, ci, all.",
    }),
  ),
  established: Type.Optional(
    Type.String({ description: "true (default): only instances seen on two days in UTC. false: all." }),
  ),
  country: Type.Optional(
    Type.String({ description: "ISO 3166 alpha-2, or unknown. May be given several times." }),
  ),
};

/** What every report takes, to choose how its answer is written. */
export const FORMATS = {
  format: Type.Optional(
    Type.String({ description: "json (default), csv, ndjson, parquet. All but json write one table." }),
  ),
  table: Type.Optional(
    Type.String({
      description:
        "Which table: the path of a list in the answer, joined by _, or summary. Default: the main list.",
    }),
  ),
};
