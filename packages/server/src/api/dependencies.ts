/** Defines what the read API needs from the rest of the collector, and what its routes share. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { splitUrl } from "@candor/envelope/http";
import type { FastifyRequest } from "fastify";
import type { PlanInForce } from "../enforce/plan-in-force.ts";
import type { Forget } from "../forget/forget.ts";
import type { Meters } from "../meters.ts";
import type { StoredForms } from "../privacy/pseudonym.ts";
import type { Store } from "../store/client.ts";
import type { PlanStore } from "../store/plan-store.ts";
import type { LiveFeed } from "./live.ts";

export interface ApiDependencies {
  readonly store: Store;
  readonly live: LiveFeed;
  readonly meters: Meters;
  readonly plan: PlanInForce;
  readonly planStore: Pick<PlanStore, "keepCounts" | "noteMonths" | "rebuild" | "compare">;
  readonly storedForms: StoredForms;
  /** Returns a time, in epoch milliseconds, before which all acknowledged messages have left the log. */
  readonly storedUntilMs: () => number;
  /** The smallest group that the public statistics show; undefined if there are none. */
  readonly publicStats: number | undefined;
  readonly forget: Forget;
  readonly now: () => number;
  readonly isAdminToken: (token: string) => boolean;
  /** Rejects with the reason if messages cannot be accepted durably now. */
  readonly checkReady: () => Promise<void>;
  /**
   * Answers requests under `/v1/` directly on the HTTP server, without fastify
   * (docs/decisions/0004-ingest-beside-fastify.md).
   */
  readonly ingest: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** Runs before a route's handler. Rejects if the client may not use the route. */
export type OnRequest = (request: FastifyRequest) => Promise<void>;

export function parametersOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(splitUrl(request.raw.url ?? "")[1]);
}
