/** Defines what the read API needs from the rest of the collector, and what its routes share. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { splitUrl } from "@candor/envelope/http";
import type { FastifyRequest } from "fastify";
import type { PlanInForce } from "../enforce/plan-in-force.ts";
import type { Forget } from "../forget/forget.ts";
import type { Meters } from "../meters.ts";
import type { Pseudonym, StoredForms } from "../privacy/pseudonym.ts";
import type { OwnNetworks } from "../reports/own-networks.ts";
import type { Store } from "../store/client.ts";
import type { LoadMeter } from "../store/paced-store.ts";
import type { PlanStore } from "../store/plan-store.ts";
import type { LiveFeed } from "./live.ts";

/** The parts of one product that its routes use. */
export interface ProductDependencies {
  readonly name: string;
  readonly store: Store;
  readonly live: LiveFeed;
  readonly plan: PlanInForce;
  readonly planStore: Pick<PlanStore, "keepCounts" | "noteMonths" | "rebuild" | "compare">;
  readonly storedForms: StoredForms;
  /** Returns a time, in epoch milliseconds, before which all acknowledged messages have left the log. */
  readonly storedUntilMs: () => number;
  readonly forget: Forget;
  /** The keyed hash of values that identify somebody. */
  readonly pseudonym: Pseudonym;
  readonly ownNetworks: Pick<OwnNetworks, "reload">;
}

/** The parts of the collector that the routes of all products share. */
export interface ServerDependencies {
  readonly meters: Pick<Meters, "countRefused" | "expose">;
  /** The smallest group that the public statistics show; undefined if there are none. */
  readonly publicStats: number | undefined;
  readonly now: () => number;
  /** How busy the collector is. While it is busy receiving, reports rest. */
  readonly load: Pick<LoadMeter, "utilization">;
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

export interface ApiDependencies extends ServerDependencies, ProductDependencies {
  /** Whether the collector serves other products too. Default: false. */
  readonly isOneOfSeveral?: boolean;
}

/** Runs before a route's handler. Rejects if the client may not use the route. */
export type OnRequest = (request: FastifyRequest) => Promise<void>;

export function parametersOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(splitUrl(request.raw.url ?? "")[1]);
}
