import type { IncomingMessage } from "node:http";
import type { Decision } from "@candor/consent";
import { rulesOf } from "../consent/gate.ts";
import type { Core } from "../core.ts";

/** The core, while it may take messages of the browser that asks; undefined: nothing of the request may be read or kept. */
export type Admission = (request: IncomingMessage) => Core | undefined;

/** @param core undefined: telemetry cannot be on */
export function createAdmission(core: Core | undefined): Admission {
  const rules = core === undefined ? [] : rulesOf(core.settings.plan, "client");
  return ({ headers }) => {
    if (core === undefined || core.state.state === "off") return undefined;
    const signals = { secGpc: textOf(headers["sec-gpc"]), dnt: textOf(headers.dnt) };
    const decisions = core.decisionsOf("client", signals);
    return rules.some((rule) => mayTake(decisions[rule])) ? core : undefined;
  };
}

/** In `log` mode messages are printed, never sent. */
function mayTake(decision: Decision): boolean {
  return decision.allow || decision.reason === "log_mode";
}

/** Node gives a header that came twice as one text, but for few. */
function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}
