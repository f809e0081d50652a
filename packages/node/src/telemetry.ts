/** Defines what a product can call. */
import type { Answer, DenyReason } from "@candor/consent";
import type { PendingPlan, SourcePermission } from "./consent/gate.ts";
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

/** Who did something and when, in addition to what happened. */
export interface About {
  /** The product's own id of a person who uses it. Hashed with the instance's secret. */
  readonly userId?: string | undefined;
  /** When it happened; a date before 1900 or after 2298 is ignored. @default now */
  readonly timestamp?: Date | undefined;
}

export interface FlushOptions {
  /** How long to wait, in milliseconds, at least 0. @default 5000 */
  readonly timeoutMs?: number | undefined;
}

/** Whether anything is sent, and what this process did with the tracked messages. */
export interface Status {
  readonly state: "on" | "log" | "off";
  /**
   * Why telemetry is off; undefined if it is not. `DENY_REASONS` and `OFF_REASONS` hold a sentence for each
   * reason.
   */
  readonly reason: DenyReason | OffReason | undefined;
  /**
   * What is wrong with the plan, or with the arguments of `createTelemetry`, `keepAlive`, `gateway` and
   * `inspector`, each with what to write instead. `state` may still be `on`.
   */
  readonly problems: readonly string[];
  /**
   * For each source of the plan, whether it may send, and why. `state` is `on` if the server may send, or if
   * the client may send and there is a gateway. `track()` and the other calls belong to the server.
   */
  readonly sources: Readonly<Partial<Record<Source, SourcePermission>>>;
  /**
   * A code that says why the last attempt to send failed, such as `timeout` or `http_401`. `explainFault`
   * returns a sentence for it. Undefined if it succeeded, if there was no attempt, or if telemetry is not on.
   * All replicas on one state folder share this value.
   */
  readonly lastFault: string | undefined;
  /**
   * The number of messages that the collector received and did not keep, by the collector's reason, since the
   * instance got its id. `event_not_in_plan` means that the collector has an older plan than this product.
   */
  readonly refused: Readonly<Record<string, number>>;
  /**
   * Set if this product's plan adds something to the plan that was agreed to. The additions are withheld
   * until somebody answers. A product can show this in a banner of its own, with the inspector's or its own
   * buttons. Undefined if the plan adds nothing, or nothing was agreed to.
   */
  readonly pending: PendingPlan | undefined;
  /**
   * A random id, created at the first consent and deleted by a No; in log mode it is new at each start. With
   * the option `instanceKey`, the id is always the same. Undefined while telemetry is off.
   */
  readonly instanceId: string | undefined;
  /** What this process has done with tracked messages since it started. */
  readonly counts: CountsReport;
}

/**
 * A product's telemetry. No method throws or rejects. Nothing is printed, except by `noticeOnce` without
 * `show`, and messages in `log` mode. Only `flush` and `close` keep the process alive, until they resolve.
 */
export interface Telemetry<P extends GeneratedPlan = GeneratedPlan> {
  /**
   * Puts an event into the outbox. The event is on disk at the latest 100 ms later, as long as the event loop
   * is not blocked. Values that the plan does not allow are removed, or the event is dropped; `status()`
   * counts both. Properties that the plan declares and the call omits are filled in: `instanceId`,
   * `environment` (production, development, test or ci), and those passed to `createTelemetry` as `common`.
   */
  track<E extends keyof EventsOf<P> & string>(
    event: E,
    ...given: Given<Properties<EventsOf<P>[E]>, About>
  ): void;
  /**
   * Records that a person opened a page of the product. Like `track`, for the plan's events of type `page`.
   */
  page<N extends keyof PagesOf<P> & string>(name: N, ...given: Given<Properties<PagesOf<P>[N]>, About>): void;
  /** Records that a person opened a screen of an app, for the plan's events of type `screen`. */
  screen<N extends keyof ScreensOf<P> & string>(
    name: N,
    ...given: Given<Properties<ScreensOf<P>[N]>, About>
  ): void;
  /**
   * Records the traits of one person that the plan's event of type `identify` declares.
   * @param userId the product's own id of the person, which is hashed with the instance's secret
   */
  identify(userId: string, traits?: IdentifyTraitsOf<P>, about?: Omit<About, "userId">): void;
  /**
   * Records the traits of one group of people, such as a workspace, that the plan's event of type `group`
   * declares.
   * @param groupId the product's own id of the group, which is hashed unless the plan declares its form
   */
  group(groupId: string, traits?: GroupTraitsOf<P>, about?: About): void;
  /**
   * Sends a heartbeat every few hours: the plan's event `Instance Active`, with `instanceId` and `boot` (16
   * hex digits, different after each start) if the plan declares them. The first heartbeat is sent no earlier
   * than 2 to 5 minutes after the start. A further call replaces the previous one.
   */
  keepAlive(options: KeepAliveOptions<HeartbeatFactsOf<P>>): void;
  /**
   * Stores the operator's answer, for example from a switch in the product's own settings. A `no` to the
   * server and the client deletes their waiting messages and the instance's id at once. `notice` says that
   * people were told. A `notice` never replaces a stored `yes` or `no`, nor a notice of a newer plan, so a
   * product may store it at each start. A settings page answers `yes` or `no`.
   * @param sources the sources that the answer is for. Default: all sources for a `no`, otherwise the server
   * @returns false if the answer is invalid or cannot be stored
   */
  answer(answer: Answer, sources?: readonly Source[]): boolean;
  /**
   * Shows the notice of a product without a set-up page (the plan's promises, how to turn telemetry off, whom
   * to ask), and stores that it was shown. The notice is shown if only the notice is missing, and once more
   * for each later version of the plan, but never after a Yes or a No. Call this at each start.
   * @param show receives the text, which ends with a line break. Default: prints the text to stderr
   * @returns true if this call showed the notice and stored that
   */
  noticeOnce(show?: (notice: string) => void): boolean;
  /**
   * Sends the waiting messages. Resolves to true if all of them have been dealt with, or if telemetry is off.
   * Resolves to false if some are still waiting: the collector is away, refuses them or asked for a pause,
   * another replica is sending, or the time ran out.
   */
  flush(options?: FlushOptions): Promise<boolean>;
  /** Flushes, then ends telemetry for good. Unsent messages stay in the outbox. */
  close(options?: FlushOptions): Promise<void>;
  /** The current state. Reads consent again. */
  status(): Status;
  /**
   * A request handler for the operator's page, which shows what was sent, what is waiting, what is withheld
   * and why, the switch, and the plan. The handler has no login of its own. Mount it behind the login of the
   * product's admins: anybody who can reach the page can read messages and use the switch. Below its mount
   * path the handler answers `GET /`, `/status.json`, `/messages.json?limit&before`, `/messages.ndjson`,
   * `/receipt.json`, `/plan`, one-time links and `POST /switch`, but only under an IP address, `localhost`,
   * or a name in `hosts`. For browsers that cannot log in, use `oneTimeLink()`.
   * @example
   * app.use("/admin/telemetry", requireAdmin, telemetry.inspector({ hosts: ["app.example.org"] })); // Express, connect, @fastify/middie
   * // Where the URL keeps its path: node:http, Hono (`c.env.incoming` and `c.env.outgoing`), and Fastify before it reads bodies:
   * const inspector = telemetry.inspector({ path: "/admin/telemetry" });
   * const onRequest = [requireAdmin, async (request, reply) => { reply.hijack(); inspector(request.raw, reply.raw); }];
   * fastify.route({ method: ["GET", "POST"], url: "/admin/telemetry*", onRequest, handler: async () => {} });
   */
  inspector(options?: InspectorOptions): InspectorHandler;
  /**
   * A request handler that receives browsers' messages on the product's own origin, so that pages contact no
   * third-party host and the operator's switch covers browsers too. Below its mount path the handler
   * implements Segment's HTTP API. If a browser sends Global Privacy Control or Do Not Track, none of its
   * messages are read or kept. When the handler answers with a 200, the messages that it kept are in
   * memory; 100 ms later they are in the outbox, like all messages.
   * @example
   * app.use("/telemetry", telemetry.gateway({ writeKey })); // Express
   * const gateway = telemetry.gateway({ writeKey }); // Fastify has read the body already, so pass it on
   * fastify.all("/telemetry/*", (request, reply) => { reply.hijack(); gateway(Object.assign(request.raw, { body: request.body }), reply.raw); });
   * hono.all("/telemetry/*", (c) => { gateway(c.env.incoming, c.env.outgoing); return RESPONSE_ALREADY_SENT; });
   */
  gateway(options: GatewayOptions): Gateway;
}
