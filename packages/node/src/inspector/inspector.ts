import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "@candor/consent";
import { describePlan, PAGE_STYLE, renderHtml } from "@candor/plan/describe";
import { PLAN_SOURCES } from "@candor/plan/runtime";
import type { Core } from "../core.ts";
import type { Source } from "../outbox/outbox-name.ts";
import { MAX_PAGE_MESSAGES, type OutboxPage, readOutboxPage } from "../outbox/outbox-page.ts";
import { originOf } from "../request-origin.ts";
import { INSPECTOR_STYLE, renderInspector } from "./page.ts";
import { explainFault, type FaultCode, sendFault, sendJson, sendPage, sendToPage } from "./reply.ts";
import { type AnswerForm, type Asked, readAnswerForm, readAsked } from "./request.ts";
import { describeProblems, readStatus } from "./status.ts";

/** Messages on the page; more are one link away. */
const SHOWN_MESSAGES = 50;
const ANSWERS: readonly Answer[] = ["yes", "no", "notice"];

export interface InspectorOptions {
  /** Where the product has put it, such as `/admin/telemetry`, when the framework does not take that off the URL. @default "" */
  readonly path?: string | undefined;
}

/** Answers a request of node:http, and so one of Express, Fastify or Hono. */
export type InspectorHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** An open telemetry, or what is wrong with its options. */
type Inspected = { readonly core: Core } | { readonly problems: readonly string[] };

interface Call extends Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Route = (call: Call) => Promise<void>;

/** The inspector's handler. It never throws, and answers every request. */
export function createInspector(inspected: Inspected, options?: InspectorOptions): InspectorHandler {
  const inspector = new Inspector(inspected);
  const path = typeof options?.path === "string" ? options.path : "";
  return (request, response) => {
    // Of an answer whose reader has left: without a listener it would end the product.
    response.on("error", () => {});
    inspector.answer(request, response, path).catch(() => sendFault(response, "internal"));
  };
}

class Inspector {
  readonly #core: Core | undefined;
  readonly #problems: readonly string[];
  readonly #routes: { readonly [path: string]: { readonly method: "GET" | "POST"; readonly route: Route } } =
    {
      "/": { method: "GET", route: (call) => this.#showPage(call) },
      "/status.json": {
        method: "GET",
        route: async ({ response }) => sendJson(response, await this.#status()),
      },
      "/messages.json": { method: "GET", route: (call) => this.#listMessages(call) },
      "/plan": { method: "GET", route: async ({ response }) => this.#showPlan(response) },
      "/switch": { method: "POST", route: (call) => this.#switch(call) },
    };

  constructor(inspected: Inspected) {
    this.#core = "core" in inspected ? inspected.core : undefined;
    this.#problems = "problems" in inspected ? inspected.problems : [];
  }

  async answer(request: IncomingMessage, response: ServerResponse, mount: string): Promise<void> {
    const asked = readAsked(request, mount);
    const found = Object.hasOwn(this.#routes, asked.path) ? this.#routes[asked.path] : undefined;
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (found === undefined) return sendFault(response, "not_found");
    if (found.method !== method) {
      response.setHeader("Allow", found.method === "GET" ? "GET, HEAD" : found.method);
      return sendFault(response, "method_not_allowed");
    }
    await found.route({ ...asked, request, response });
  }

  #status() {
    return this.#core === undefined ? describeProblems(this.#problems) : readStatus(this.#core);
  }

  /** Undefined: the address asks for a page that there is not. */
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

  async #showPage({ here, query, response }: Call, fault?: FaultCode): Promise<void> {
    const asked = fault === undefined ? query : new URLSearchParams();
    const page = await this.#messages(asked, SHOWN_MESSAGES);
    if (page === undefined) return sendFault(response, "page_unknown");
    const { status, message } =
      fault === undefined ? { status: 200, message: undefined } : explainFault(fault);
    const shown = { status: await this.#status(), page, isOlder: asked.has("before"), here, message };
    sendPage(response, renderInspector(shown), INSPECTOR_STYLE, status);
  }

  async #showPlan(response: ServerResponse): Promise<void> {
    if (this.#core === undefined) return sendFault(response, "not_found");
    const page = describePlan(this.#core.settings.plan, new Map());
    sendPage(response, renderHtml(page), PAGE_STYLE);
  }

  async #switch(call: Call): Promise<void> {
    const { request, response } = call;
    const form = originOf(request) === "here" ? await readAnswerForm(request) : undefined;
    const fault = form === undefined ? "other_site" : this.#apply(form);
    const isForm = typeof form === "object" && form.isForm;
    if (fault === undefined && !isForm) return sendJson(response, await this.#status());
    if (fault === undefined) return sendToPage(response);
    if (isForm) return this.#showPage(call, fault);
    sendFault(response, fault);
  }

  /** Stores the answer and acts on it. Undefined: done. */
  #apply(form: AnswerForm | "too_large" | "unreadable"): FaultCode | undefined {
    if (form === "too_large") return "body_too_large";
    if (form === "unreadable") return "body_unreadable";
    if (this.#core === undefined) return "options_invalid";
    const answer = ANSWERS.find((known) => known === form.answer);
    const declared = PLAN_SOURCES.filter((source) => this.#core?.settings.plan.sources[source] !== undefined);
    const usual = answer === "no" ? declared : ["server"];
    const sources = readSources(form.sources ?? usual, declared);
    if (answer === undefined || sources === undefined) return "answer_invalid";
    return this.#core.answer(sources, answer, "inspector") ? undefined : "answer_not_stored";
  }
}

/** Undefined: it is no list, an empty one, or names what the plan does not have. */
function readSources(given: unknown, declared: readonly Source[]): readonly Source[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const isKnown = given.every((name) => declared.some((source) => source === name));
  return isKnown ? declared.filter((source) => given.includes(source)) : undefined;
}
