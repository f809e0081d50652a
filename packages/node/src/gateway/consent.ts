/** Decides whether a browser may send through the gateway, and makes the cookie that holds a person's Yes. */
import type { IncomingMessage } from "node:http";
import { type AllowReason, type Decision, type DenyReason, RULES } from "@candor/consent";
import {
  type BrowserPlan,
  consentOf,
  narrowPlan,
  newestSince,
  type Plan,
  toBrowserPlan,
} from "@candor/plan/runtime";
import { isRefusal, rulesOf, type SourceDecisions } from "../consent/gate.ts";
import type { Core } from "../core.ts";
import type { OffReason } from "../reasons.ts";

/** The answer to a browser that asks whether it may send. */
export interface BrowserConsent {
  readonly allow: boolean;
  /** `person_undecided`: the instance allows it, and leaves the choice to each person. */
  readonly reason: AllowReason | DenyReason | OffReason | "person_undecided";
  /**
   * Whether telemetry is refused, so that the browser must delete what it keeps. A missing answer is not a
   * refusal.
   */
  readonly refused: boolean;
  /** Whether people are asked in their browsers. Only the browser knows what its person answered. */
  readonly ask: boolean;
  /** What the browser may send, after the person's Yes if `ask` is set; absent if nothing. */
  readonly plan?: BrowserPlan;
  /**
   * The newest version of the plan that added to what a browser may send. An answer for an earlier version
   * does not cover everything that a browser may send now.
   */
  readonly since?: number;
  readonly product?: string;
}

export const PERSON_ANSWERS = ["yes", "no"] as const;
export type PersonAnswer = (typeof PERSON_ANSWERS)[number];

const COOKIE = "candor-consent";
/** The longest time for which browsers keep a cookie: 400 days. */
const COOKIE_AGE_S = 400 * 24 * 3600;

/** What browsers may send now, and the newest version of the plan that added to it. */
type Agreed = Required<Pick<BrowserConsent, "plan" | "since">>;

export class BrowserGate {
  readonly #core: Core | undefined;
  readonly #asksPeople: boolean;
  #last: { readonly decisions: SourceDecisions; readonly agreed: Agreed } | undefined;

  /** @param core undefined if the gateway can never accept messages */
  constructor(core: Core | undefined, asksPeople: boolean) {
    this.#core = core;
    this.#asksPeople = asksPeople;
  }

  /**
   * Returns the core if it may accept messages from this browser. Otherwise returns undefined, and the caller
   * may neither read the request's body nor keep anything of the request.
   */
  admit(request: IncomingMessage): Core | undefined {
    const core = this.#core;
    if (core === undefined || !this.#instanceAllows(core, request).allow) return undefined;
    if (!this.#asksPeople) return core;
    return agreedVersionOf(request) >= this.#agreed(core).since ? core : undefined;
  }

  /**
   * Answers a browser that asks whether it may send. The answer does not depend on what the person answered
   * before, because the question is sent without cookies.
   */
  tell(request: IncomingMessage): BrowserConsent {
    const core = this.#core;
    if (core === undefined) return { allow: false, reason: "options_invalid", refused: false, ask: false };
    const { allow, reason, refused } = this.#instanceAllows(core, request);
    if (!allow) return { allow, reason, refused, ask: false };
    const about = { ...this.#agreed(core), product: core.settings.plan.product };
    if (!this.#asksPeople) return { allow, reason, refused, ask: false, ...about };
    return { allow: false, reason: "person_undecided", refused: false, ask: true, ...about };
  }

  /**
   * Handles a person's answer. A Yes is stored only in the person's browser, in a cookie for the gateway's
   * path (or the whole site, if that path is empty); a No deletes the cookie. Pages may access the cookie, so
   * that they can delete it without a request.
   * @returns the cookie to set; undefined if people are not asked here, if the gateway can never accept
   * messages, or for a Yes that the instance does not allow
   */
  remember(request: IncomingMessage, answer: PersonAnswer, path: string): string | undefined {
    const core = this.#core;
    if (core === undefined || !this.#asksPeople) return undefined;
    const isYes = answer === "yes";
    if (isYes && !this.#instanceAllows(core, request).allow) return undefined;
    const value = isYes ? `yes.${this.#agreed(core).since}` : "";
    const isSecure = "encrypted" in request.socket || request.headers["x-forwarded-proto"] === "https";
    const attributes = `Path=${path === "" ? "/" : path}; SameSite=Strict${isSecure ? "; Secure" : ""}`;
    return `${COOKIE}=${value}; Max-Age=${isYes ? COOKIE_AGE_S : 0}; ${attributes}`;
  }

  /** Returns what browsers may send; computed again only when a decision has changed. */
  #agreed(core: Core): Agreed {
    const decisions = core.decisionsOf("client");
    if (this.#last?.decisions !== decisions) {
      const plan = agreedPart(core.settings.plan, decisions);
      const agreed = { plan: toBrowserPlan(plan), since: newestSince(plan, "client") };
      this.#last = { decisions, agreed };
    }
    return this.#last.agreed;
  }

  #instanceAllows(
    core: Core,
    { headers }: IncomingMessage,
  ): Pick<BrowserConsent, "allow" | "reason" | "refused"> {
    const signals = { secGpc: firstOf(headers["sec-gpc"]), dnt: firstOf(headers.dnt) };
    const decisions = core.decisionsOf("client", signals);
    const rules = rulesOf(core.settings.plan, "client").map((rule) => decisions[rule]);
    const found = rules.find(mayTake) ?? rules[0];
    if (found === undefined) return { allow: false, reason: "no_events", refused: false };
    if (!mayTake(found)) return { allow: false, reason: found.reason, refused: rules.every(isRefusal) };
    const { state } = core;
    if (state.state === "off") return { allow: false, reason: state.reason, refused: false };
    return { allow: true, reason: found.reason, refused: false };
  }
}

/**
 * The part of the plan that browsers may send: what consent covers, and all events whose rule is decided by
 * `log` mode, where nothing is sent.
 */
function agreedPart(plan: Plan, decisions: SourceDecisions): Plan {
  const parts = RULES.filter((rule) => mayTake(decisions[rule])).map((rule) => {
    const decision = decisions[rule];
    const version = decision.allow ? decision.coversVersion : plan.version;
    const events = plan.events.filter((event) => consentOf(plan, "client", event) === rule);
    return narrowPlan({ ...plan, events }, version);
  });
  const agreed = new Map(parts.flatMap(({ events }) => events).map((event) => [eventId(event), event]));
  const events = plan.events.flatMap((event) => agreed.get(eventId(event)) ?? []);
  return { ...plan, sources: parts[0]?.sources ?? {}, events };
}

function eventId({ type, name }: { readonly type: string; readonly name: string | undefined }): string {
  return JSON.stringify([type, name]);
}

/** Whether messages may be accepted. In `log` mode they are printed and never sent. */
function mayTake(decision: Decision): boolean {
  return decision.allow || decision.reason === "log_mode";
}

/** The version of the plan that the person's Yes names, from the cookie; 0 if there is no Yes. */
function agreedVersionOf({ headers: { cookie = "" } }: IncomingMessage): number {
  const pattern = new RegExp(`(?:^|;\\s*)${COOKIE}=yes\\.(\\d{1,7})(?:;|$)`);
  return Number(pattern.exec(cookie)?.[1] ?? 0);
}

function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}
