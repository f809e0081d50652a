/** Defines what a product can call. */
import type { Answer, DenyReason } from "@candor/consent";
import type { PendingPlan, SourceStanding } from "./consent/gate.ts";
import type { CountsReport } from "./counts.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { GatewayOptions } from "./gateway/options.ts";
import type {
  EventsOf,
  GeneratedPlan,
  Given,
  GroupTraitsOf,
  HeartbeatFactsOf,
  IdentifyTraitsOf,
  PagesOf,
  Properties,
  ScreensOf,
} from "./generated-plan.ts";
import type { InspectorHandler, InspectorOptions } from "./inspector/inspector.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import type { OffReason } from "./reasons.ts";
import type { Source } from "./scope.ts";

/** Who and when, besides what happened. */
export interface About {
  /** A person who uses the product, as the product knows them. Hashed with the instance's secret. */
  readonly userId?: string | undefined;
  /** @default now */
  readonly timestamp?: Date | undefined;
}

export interface FlushOptions {
  /** How long to wait, in milliseconds, at least 0. @default 5000 */
  readonly timeoutMs?: number | undefined;
}

/** Whether anything is sent, and what this process did with what was tracked. */
export interface Status {
  readonly state: "on" | "log" | "off";
  /** Why it is off: `DENY_REASONS` and `OFF_REASONS` have the sentences. */
  readonly reason: DenyReason | OffReason | undefined;
  /**
   * What is wrong with the plan, or with the arguments of `createTelemetry`, `keepAlive` and `gateway`: each with
   * what to write instead. `state` may be `on` all the same.
   */
  readonly problems: readonly string[];
  /**
   * For each source of the plan, whether it may send, and why. `state` is `on` if the server may, or if the client
   * may and there is a gateway; `track()` and the other calls belong to the server.
   */
  readonly sources: Readonly<Partial<Record<Source, SourceStanding>>>;
  /**
   * Why the last attempt to send failed, in a sentence; undefined if it did not, none was made, or telemetry is not
   * on. The same for all replicas on one folder.
   */
  readonly lastFault: string | undefined;
  /**
   * Messages that the collector received and did not keep, by its reason, since the instance has its id: with
   * `event_not_in_plan` it has an older plan than this product.
   */
  readonly refused: Readonly<Record<string, number>>;
  /**
   * This product's plan adds something to the one that was agreed to, which is withheld until somebody answers. A
   * product can show this in a banner of its own, with the inspector's or its own buttons. Undefined if there is
   * nothing.
   */
  readonly pending: PendingPlan | undefined;
  /**
   * A random id, created at the first consent and deleted with a No; with the option `instanceKey` always the same.
   * Undefined while telemetry is off. In log mode a random one is for this start alone.
   */
  readonly instanceId: string | undefined;
  /** What this process did with what was tracked since it began. */
  readonly counts: CountsReport;
}

/**
 * A product's telemetry. No method throws, rejects, prints, or keeps the process alive, except `flush` and `close`
 * while awaited.
 */
export interface Telemetry<P extends GeneratedPlan = GeneratedPlan> {
  /**
   * Puts an event into the outbox. It is on disk at the latest 100 ms later, as long as the event loop turns. What
   * the plan does not allow is removed, or the event is dropped, and that is counted in `status()`. Properties that
   * the plan declares and the call omits are filled in: `instanceId`, `environment` (production, development, test or
   * ci), and those passed to `createTelemetry` as `common`.
   */
  track<E extends keyof EventsOf<P> & string>(
    event: E,
    ...given: Given<Properties<EventsOf<P>[E]>, About>
  ): void;
  /** Records that a person opened a page of the product. Like `track`, for the plan's events of type `page`. */
  page<N extends keyof PagesOf<P> & string>(name: N, ...given: Given<Properties<PagesOf<P>[N]>, About>): void;
  /** Records that a person opened a screen of an app, for the plan's events of type `screen`. */
  screen<N extends keyof ScreensOf<P> & string>(
    name: N,
    ...given: Given<Properties<ScreensOf<P>[N]>, About>
  ): void;
  /**
   * Records about one person what the plan's event of type `identify` declares as traits.
   * @param userId as the product knows them: it is hashed with the instance's secret
   */
  identify(userId: string, traits?: IdentifyTraitsOf<P>, about?: Omit<About, "userId">): void;
  /**
   * Records about one group of people, such as a workspace, what the plan's event of type `group` declares as traits.
   * @param groupId as the product knows it. It is hashed unless the plan declares its form
   */
  group(groupId: string, traits?: GroupTraitsOf<P>, about?: About): void;
  /**
   * Sends every few hours that the instance is alive: the plan's event `Instance Active`, with `instanceId` and
   * `boot` (16 hex, different after each start) if it declares them. The first one is sent 2 to 5 minutes after the
   * start. Calling it again replaces the last call.
   */
  keepAlive(options: KeepAliveOptions<HeartbeatFactsOf<P>>): void;
  /**
   * Stores the operator's answer, like a switch in the product's own settings. A `no` to the server and the client
   * deletes everything that waits, and the instance's id, at once. `notice` says that people were told; it never
   * replaces a stored `yes` or `no`, nor a notice of a newer plan, so it may be called at each start. A settings page
   * answers `yes` or `no`.
   * @param sources whom it is for. Default: a `no` is for all, anything else for the server
   * @returns false if it cannot be stored
   */
  answer(answer: Answer, sources?: readonly Source[]): boolean;
  /**
   * For products without a set-up page: shows the notice (the plan's promises, how to turn telemetry off, whom to
   * ask) and stores that it was shown. It does so if nothing but the notice is missing, and once more for each later
   * version of the plan; never after a Yes or a No. Call it at each start.
   * @param show gets the text, which ends with a line break. Default: it is printed to stderr
   * @returns true if it was shown just now
   */
  noticeOnce(show?: (notice: string) => void): boolean;
  /**
   * Sends what waits. Resolves to true if all of it has been dealt with, or telemetry is off; to false if something
   * still waits: the collector is away, refuses, or asked to be left alone, another replica is sending, or the time
   * ran out.
   */
  flush(options?: FlushOptions): Promise<boolean>;
  /** Flushes, then ends for good. What was not sent stays in the outbox. */
  close(options?: FlushOptions): Promise<void>;
  /** The current state. Reads consent again. */
  status(): Status;
  /**
   * A request handler with the operator's page: what was sent, what waits, what is withheld and why, the switch, the plan.
   * It does no login: mount it behind the one of the product's admins, whoever reaches it can read messages and switch.
   * It answers `GET /`, `/status.json`, `/messages.json?limit&before`, `/plan` and `POST /switch` below where it is mounted, and
   * only under an IP address, `localhost`, or a name in `hosts`. For browsers that cannot log in: `oneTimeLink()`.
   * @example
   * app.use("/admin/telemetry", requireAdmin, telemetry.inspector({ hosts: ["app.example.org"] })); // Express, connect, @fastify/middie
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
