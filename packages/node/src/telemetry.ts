import type { Answer, DenyReason } from "@candor/consent";
import type { CountsReport } from "./counts.ts";
import type { Gateway, GatewayOptions } from "./gateway/gateway.ts";
import type {
  EventsOf,
  GeneratedPlan,
  Given,
  GroupTraitsOf,
  IdentifyTraitsOf,
  PagesOf,
  Properties,
  ScreensOf,
} from "./generated-plan.ts";
import type { InspectorHandler, InspectorOptions } from "./inspector/inspector.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { Source } from "./outbox/outbox-name.ts";
import type { OffReason } from "./reasons.ts";

/** Who and when, beside what happened. */
export interface About {
  /** Of a person who uses the product, as the product knows them. It is hashed with the instance's secret. */
  readonly userId?: string | undefined;
  /** @default now */
  readonly timestamp?: Date | undefined;
}

export interface FlushOptions {
  /** @default 5000 */
  readonly timeoutMs?: number;
}

/** Whether anything is sent, and what this process did with what was tracked. */
export interface Status {
  readonly state: "on" | "log" | "off";
  /** Why it is off. */
  readonly reason: DenyReason | OffReason | undefined;
  /** What is wrong with the options, each with what to write instead. */
  readonly problems: readonly string[];
  readonly instanceId: string | undefined;
  readonly counts: CountsReport;
}

/** A product's telemetry. No method throws, rejects, prints, or keeps the process alive, but `flush` and `close` while awaited. */
export interface Telemetry<P extends GeneratedPlan = GeneratedPlan> {
  /**
   * Puts an event into the outbox. It is on disk at the latest 100 ms later, as long as the event loop turns. What the plan
   * does not allow is taken out, or the event is dropped, and counted in `status()`. Properties called `instanceId` are
   * filled in when left out.
   */
  track<E extends keyof EventsOf<P> & string>(
    event: E,
    ...given: Given<Properties<EventsOf<P>[E]>, About>
  ): void;
  page<N extends keyof PagesOf<P> & string>(name: N, ...given: Given<Properties<PagesOf<P>[N]>, About>): void;
  screen<N extends keyof ScreensOf<P> & string>(
    name: N,
    ...given: Given<Properties<ScreensOf<P>[N]>, About>
  ): void;
  identify(userId: string, traits?: IdentifyTraitsOf<P>, about?: Omit<About, "userId">): void;
  group(groupId: string, traits?: GroupTraitsOf<P>, about?: About): void;
  /** Says every few hours that the instance is alive: the event `Instance Active`. Called again, it replaces the last one. */
  keepAlive(options: KeepAliveOptions): void;
  /**
   * Stores the operator's answer, as a switch in the product's own settings does. A `no` to the server and the client deletes
   * all that waits, and the instance's id, at once.
   * @param sources whom it is for. Default: a `no` is for all, anything else for the server
   * @returns false when it cannot be stored
   */
  answer(answer: Answer, sources?: readonly Source[]): boolean;
  /** Resolves to true when everything that was tracked has been dealt with, else false after the timeout. */
  flush(options?: FlushOptions): Promise<boolean>;
  /** Flushes, then ends for good. What was not sent stays in the outbox. */
  close(options?: FlushOptions): Promise<void>;
  status(): Status;
  /**
   * A request handler with the operator's page: what was sent, what waits, what is withheld and why, the switch, the plan.
   * It does no login: mount it behind the one of the product's admins, whoever reaches it can read messages and switch.
   * It answers `GET /`, `/status.json`, `/messages.json?limit&before`, `/plan` and `POST /switch` below where it is mounted.
   * @example
   * app.use("/admin/telemetry", requireAdmin, telemetry.inspector()); // Express, connect, @fastify/middie
   * // Where the URL keeps its path: node:http, Hono (`c.env.incoming` and `c.env.outgoing`), and Fastify before it reads bodies:
   * const inspector = telemetry.inspector({ path: "/admin/telemetry" });
   * const onRequest = [requireAdmin, async (request, reply) => { reply.hijack(); inspector(request.raw, reply.raw); }];
   * fastify.route({ method: ["GET", "POST"], url: "/admin/telemetry*", onRequest, handler: async () => {} });
   */
  inspector(options?: InspectorOptions): InspectorHandler;
  /**
   * A request handler that takes browsers' messages on the product's own origin, so that no page talks to a third host, and
   * the operator's switch covers them too. It speaks Segment's HTTP API below where it is mounted. Nothing of a person whose
   * browser sends Global Privacy Control or Do Not Track is read or kept. A 200 means: in the outbox, on disk at the latest
   * 100 ms later.
   * @example
   * app.use("/telemetry", telemetry.gateway({ writeKey })); // Express
   * const gateway = telemetry.gateway({ writeKey }); // where the framework has read the body, it is handed over
   * fastify.all("/telemetry/*", (request, reply) => { reply.hijack(); gateway(Object.assign(request.raw, { body: request.body }), reply.raw); });
   * hono.all("/telemetry/*", (c) => { gateway(c.env.incoming, c.env.outgoing); return RESPONSE_ALREADY_SENT; });
   */
  gateway(options: GatewayOptions): Gateway;
}
