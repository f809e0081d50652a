/** The inspector: routes an operator's requests, and applies the answers given on its page. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { PLAN_SOURCES } from "@candor/plan/runtime";
import { type Clock, machineClock } from "../clock.ts";
import { ANSWERS } from "../consent/answers.ts";
import type { Core } from "../core.ts";
import { type DeletionReceipt, type Forgotten, forgetThenTurnOff } from "../forget.ts";
import { siteOf } from "../incoming-request.ts";
import { MAX_PAGE_MESSAGES, type OutboxPage, readOutboxPage } from "../outbox/outbox-page.ts";
import { sendPage, sendPlanPage } from "../page-answer.ts";
import { findOtherType, findUnknown } from "../problems.ts";
import type { Source } from "../scope.ts";
import { explainFault } from "../send/retry.ts";
import { isLink, type OneTimeLinkOptions, OneTimeLinks } from "./one-time-link.ts";
import { INSPECTOR_STYLE, renderInspector } from "./page.ts";
import {
  beginFile,
  explainReplyFault,
  type FaultCode,
  sendFault,
  sendJson,
  sendToInspector,
  sendToPage,
  writeMessages,
} from "./reply.ts";
import {
  type AnswerForm,
  type Asked,
  type FormFault,
  isKnownHost,
  readAnswerForm,
  readAsked,
} from "./request.ts";
import { describeProblems, readStatus } from "./status.ts";

/** How many messages the page shows. The page links to older messages. */
const SHOWN_MESSAGES = 50;

export interface InspectorOptions {
  /**
   * The path at which the product mounted the inspector, such as `/admin/telemetry`, if the framework does
   * not remove that path from the URL.
   * @default ""
   */
  readonly path?: string | undefined;
  /**
   * The names under which the product is reached, such as `app.example.org`, with or without a port. IP
   * addresses and `localhost` always work. Requests under any other name are refused, because another site's
   * page could be behind that name.
   * @default none
   */
  readonly hosts?: readonly string[] | undefined;
}

const NAMES = Object.keys({ path: true, hosts: true } satisfies {
  readonly [Name in keyof InspectorOptions]-?: true;
});

/** Answers a request of node:http, and therefore also a request of Express, Fastify or Hono. */
export interface InspectorHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /**
   * Makes a link for an admin of the product whose browser cannot send the product's own authentication, such
   * as a token in a header. By default, the link expires after 5 minutes. It can be opened once. The browser
   * that opens it gets a cookie that admits it for 30 minutes. Call this function in a route that only admins
   * can reach, and admit requests for which `cameByLink` returns true. A link works only in the process that
   * made it.
   * @returns a path below the inspector's own, such as `/link-q3...`; it begins with the option `path` if
   * that is set
   * @example
   * app.post("/admin/telemetry-link", requireAdmin, (_, response) =>
   *   response.json("/admin/telemetry" + inspector.oneTimeLink()));
   * app.use("/admin/telemetry", (request, response, next) =>
   *   inspector.cameByLink(request) ? next() : requireAdmin(request, response, next), inspector);
   */
  oneTimeLink(options?: OneTimeLinkOptions): string;
  /** Whether a request opens a valid one-time link, or comes from a browser that has opened one. */
  cameByLink(request: IncomingMessage): boolean;
}

/** The core, or what is wrong with the options of `createTelemetry` if they are unusable. */
type Inspected = { readonly core: Core } | { readonly problems: readonly string[] };

interface Call extends Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Route = (call: Call) => Promise<void>;

/** Why an answer was not accepted. */
interface Refusal {
  readonly code: FaultCode;
  /** A further sentence about the cause. */
  readonly detail?: string;
}

/** Creates a handler that never throws and answers every request. @throws what reading the options throws */
export function createInspector(inspected: Inspected, options?: InspectorOptions): InspectorHandler {
  const inspector = new Inspector(inspected);
  const path = typeof options?.path === "string" ? options.path : "";
  const hosts = isNames(options?.hosts) ? options.hosts : [];
  if ("core" in inspected) inspected.core.problems.note("inspector", checkInspector(options));
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // The client may have closed the connection. Without a listener, that error would end the product's
    // process.
    response.on("error", () => {});
    if (!isKnownHost(request.headers.host, hosts)) return sendFault(response, "host_unknown");
    inspector.answer(request, response, path).catch(() => sendFault(response, "internal"));
  };
  return Object.assign(handle, {
    oneTimeLink: (options?: OneTimeLinkOptions) =>
      path.replace(/\/+$/, "") + inspector.links.make(options ?? {}),
    cameByLink: (request: IncomingMessage) =>
      isKnownHost(request.headers.host, hosts) &&
      inspector.links.admits(readAsked(request, path).path, request),
  });
}

function checkInspector(options: InspectorOptions | undefined): readonly string[] {
  const { hosts } = options ?? {};
  const isUsable = hosts === undefined || isNames(hosts);
  return [
    ...(isUsable ? [] : ['inspector.hosts: give a list of names, such as ["app.example.org"].']),
    ...findOtherType("inspector.path", options?.path, "string", "a path such as /admin/telemetry"),
    ...findUnknown(options ?? {}, NAMES, "inspector."),
  ];
}

function isNames(hosts: unknown): hosts is readonly string[] {
  return Array.isArray(hosts) && hosts.every((name) => typeof name === "string");
}

class Inspector {
  readonly links: OneTimeLinks;
  readonly #core: Core | undefined;
  readonly #clock: Clock;
  readonly #problems: readonly string[];
  /** The deletion in progress. A second request waits for this deletion instead of starting another. */
  #forgetting: Promise<Forgotten> | undefined;
  /** The deletion receipt of the last deletion that this process requested, kept only in memory. */
  #receipt: DeletionReceipt | undefined;
  readonly #routes: { readonly [path: string]: { readonly method: "GET" | "POST"; readonly route: Route } } =
    {
      "/": { method: "GET", route: (call) => this.#showPage(call) },
      "/status.json": {
        method: "GET",
        route: async ({ response }) => sendJson(response, await this.#status()),
      },
      "/messages.json": { method: "GET", route: (call) => this.#listMessages(call) },
      "/messages.ndjson": { method: "GET", route: (call) => this.#download(call) },
      "/receipt.json": { method: "GET", route: async ({ response }) => this.#showReceipt(response) },
      "/plan": { method: "GET", route: async ({ response }) => this.#showPlan(response) },
      "/switch": { method: "POST", route: (call) => this.#switch(call) },
    };

  constructor(inspected: Inspected) {
    this.#core = "core" in inspected ? inspected.core : undefined;
    this.#problems = "problems" in inspected ? inspected.problems : [];
    this.#clock = this.#core?.clock ?? machineClock;
    this.links = new OneTimeLinks(this.#clock);
  }

  async answer(request: IncomingMessage, response: ServerResponse, mount: string): Promise<void> {
    const asked = readAsked(request, mount);
    if (isLink(asked.path)) return this.#openLink(asked.path, request, response);
    const found = Object.hasOwn(this.#routes, asked.path) ? this.#routes[asked.path] : undefined;
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (found === undefined) return sendFault(response, "not_found");
    if (found.method !== method) {
      response.setHeader("Allow", found.method === "GET" ? "GET, HEAD" : found.method);
      return sendFault(response, "method_not_allowed");
    }
    await found.route({ ...asked, request, response });
  }

  #openLink(path: string, request: IncomingMessage, response: ServerResponse): void {
    // Only GET uses up the link, because a program that previews links may send HEAD.
    const cookie = request.method === "GET" ? this.links.open(path, request) : undefined;
    if (cookie === undefined) sendFault(response, "link_used");
    else sendToInspector(response, cookie);
  }

  #status() {
    return this.#core === undefined ? describeProblems(this.#problems) : readStatus(this.#core);
  }

  /** Reads one page of the outbox; undefined if the query's `limit` or `before` is invalid. */
  async #messages(query: URLSearchParams, usualLimit: number): Promise<OutboxPage | undefined> {
    const limit = Number(query.get("limit") ?? usualLimit);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_MESSAGES) return undefined;
    const before = query.get("before") ?? undefined;
    if (this.#core === undefined) return { messages: [], next: undefined };
    return readOutboxPage(this.#core.folder.outbox, { limit, before });
  }

  async #listMessages({ query, response }: Call): Promise<void> {
    const page = await this.#messages(query, SHOWN_MESSAGES * 2);
    if (page === undefined) sendFault(response, "page_unknown");
    else sendJson(response, page);
  }

  async #download({ request, response }: Call): Promise<void> {
    beginFile(response, "telemetry-messages.ndjson", "application/x-ndjson; charset=utf-8");
    if (this.#core === undefined || request.method === "HEAD") response.end();
    else await writeMessages(this.#core.folder.outbox, response);
  }

  #showReceipt(response: ServerResponse): void {
    if (this.#receipt === undefined) {
      sendFault(response, "not_found");
    } else {
      beginFile(response, "telemetry-deletion-receipt.json", "application/json; charset=utf-8");
      response.end(`${JSON.stringify(this.#receipt, null, 2)}\n`);
    }
  }

  async #showPage({ here, query, response }: Call, refusal?: Refusal): Promise<void> {
    const asked = refusal === undefined ? query : new URLSearchParams();
    const page = await this.#messages(asked, SHOWN_MESSAGES);
    if (page === undefined) return sendFault(response, "page_unknown");
    const { status, message } =
      refusal === undefined
        ? { status: 200, message: undefined }
        : explainReplyFault(refusal.code, refusal.detail);
    const shown = {
      status: await this.#status(),
      page,
      isOlder: asked.has("before"),
      here,
      message,
      receipt: this.#receipt,
    };
    sendPage(response, renderInspector(shown), INSPECTOR_STYLE, status);
  }

  async #showPlan(response: ServerResponse): Promise<void> {
    if (this.#core === undefined) return sendFault(response, "not_found");
    sendPlanPage(response, this.#core.settings.plan);
  }

  async #switch(call: Call): Promise<void> {
    const { request, response } = call;
    const form = siteOf(request) === "here" ? await readAnswerForm(request, this.#clock) : undefined;
    const refusal = form === undefined ? { code: "other_site" as const } : await this.#apply(form);
    const isForm = typeof form === "object" && form.isForm;
    if (refusal === undefined && !isForm) return sendJson(response, await this.#status());
    if (refusal === undefined) return sendToPage(response);
    if (isForm) return this.#showPage(call, refusal);
    sendFault(response, refusal.code, refusal.detail);
  }

  /** Stores the answer, after a deletion at the collector if asked for. @returns undefined if all went well */
  async #apply(form: AnswerForm | FormFault): Promise<Refusal | undefined> {
    if (typeof form === "string") return { code: form };
    if (this.#core === undefined) return { code: "options_invalid" };
    const answer = ANSWERS.find((known) => known === form.answer);
    const declared = PLAN_SOURCES.filter((source) => this.#core?.settings.plan.sources[source] !== undefined);
    const usual = answer === "no" ? declared : ["server"];
    const sources = readSources(form.sources ?? usual, declared);
    if (answer === undefined || sources === undefined) return { code: "answer_invalid" };
    if (form.deleteFirst !== false) {
      const isUsable = form.deleteFirst === true && answer === "no" && sources.includes("server");
      return isUsable ? this.#forget(this.#core, sources) : { code: "deletion_needs_no" };
    }
    return this.#core.answer(sources, answer, "inspector") ? undefined : { code: "answer_not_stored" };
  }

  async #forget(core: Core, sources: readonly Source[]): Promise<Refusal | undefined> {
    const isFirst = this.#forgetting === undefined;
    this.#forgetting ??= forgetThenTurnOff(core, sources).finally(() => {
      this.#forgetting = undefined;
    });
    const forgotten = await this.#forgetting;
    if ("receipt" in forgotten) this.#receipt = forgotten.receipt;
    // The first request's No may have been for fewer sources.
    if (forgotten.ok)
      return isFirst || core.answer(sources, "no", "inspector") ? undefined : { code: "answer_not_stored" };
    if (forgotten.fault !== "not_confirmed") return { code: forgotten.fault };
    return { code: forgotten.fault, detail: explainNotConfirmed(forgotten.cause) };
  }
}

/**
 * Explains why a deletion was not confirmed. An error code from the collector is shown unchanged, because the
 * sentences about sending would say less.
 */
function explainNotConfirmed(cause: string): string {
  const isOfTheWay = /^http_\d+$/.test(cause) || explainFault(cause) !== explainFault("other");
  return isOfTheWay ? explainFault(cause) : `It answered: ${cause}.`;
}

/** An answer's sources; undefined if they are no list, are empty, or include one that the plan lacks. */
function readSources(given: unknown, declared: readonly Source[]): readonly Source[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const isKnown = given.every((name) => declared.some((source) => source === name));
  return isKnown ? declared.filter((source) => given.includes(source)) : undefined;
}
