/**
 * Describes the state of telemetry: the state of a running product to its operator, and that of a state
 * folder to other programs.
 */
import {
  ALLOW_REASONS,
  type ConsentRecord,
  DENY_REASONS,
  type Decision,
  latestConsentRecord,
  type Rule,
  readConsentRecords,
} from "@candor/consent";
import { consentOf, labelOf, modeSwitch, type Plan, type Withheld, withheldOf } from "@candor/plan/runtime";
import { ConsentGate, rulesOf, type SourceDecisions } from "../consent/gate.ts";
import type { Core } from "../core.ts";
import type { CountsReport } from "../counts.ts";
import { readKeepAlive } from "../keep-alive.ts";
import { countOutbox, type OutboxTotals } from "../outbox/outbox-page.ts";
import { OFF_REASONS } from "../reasons.ts";
import type { Source } from "../scope.ts";
import { type Delivery, readDelivery } from "../send/delivery.ts";
import { readText } from "../state/plain-file.ts";
import { readKeptPlan, type StateFolder } from "../state/state-folder.ts";

const SENTENCES: { readonly [reason: string]: string } = {
  ...DENY_REASONS,
  ...ALLOW_REASONS,
  ...OFF_REASONS,
};
/** The sources in the order in which they are shown to operators. */
export const SHOWN_SOURCES = ["server", "client", "installer"] as const;

/** The content of `GET status.json`, which the page also shows. Contains no secrets. */
export interface InspectorStatus {
  readonly state: "on" | "log" | "off";
  /** Why telemetry is off; undefined if it is not. */
  readonly reason: Reason | undefined;
  /** What is wrong with the plan, or with what the product passed. */
  readonly problems: readonly string[];
  readonly counts: CountsReport;
  /** Undefined if the options are unusable. */
  readonly product: ProductStatus | undefined;
  /** What the state folder holds; undefined unless telemetry is on. */
  readonly kept: KeptStatus | undefined;
  /**
   * What is left in the outbox while telemetry is not on; undefined if the outbox is empty. A refusal deletes
   * the messages it covers.
   */
  readonly held: OutboxTotals | undefined;
}

interface Reason {
  readonly code: string;
  readonly sentence: string;
}

export interface ProductStatus {
  readonly name: string;
  readonly plan: { readonly version: number; readonly hash: string };
  /** The collector's URL, without a name or password. */
  readonly sentTo: string;
  /**
   * The product's own environment variables: those of `disable` turn telemetry off, `mode` sets it to `off`
   * or `log`.
   */
  readonly switches: { readonly disable: readonly string[]; readonly mode: string };
  readonly sources: readonly SourceStatus[];
}

export interface SourceStatus {
  readonly source: Source;
  /** The stored answer in force; undefined if there is none, or if the stored answers cannot be read. */
  readonly answer: ConsentRecord | undefined;
  /** One status for each consent rule that applies to events of this source. */
  readonly rules: readonly RuleStatus[];
}

export interface RuleStatus {
  readonly rule: Rule;
  readonly allow: boolean;
  readonly reason: Reason;
  /** The version of the plan that the consent was given for; undefined without a consent. */
  readonly coversVersion: number | undefined;
  /**
   * What is withheld: without a consent, everything; with one, whatever a later version of the plan added.
   */
  readonly withheld: Withheld;
}

export interface KeptStatus {
  readonly instanceId: string;
  readonly createdAt: string;
  readonly outbox: OutboxTotals;
  readonly delivery: Delivery;
  /** When any process on the state folder made the last heartbeat; undefined if none has. */
  readonly lastKeepAliveAt: string | undefined;
  /**
   * When this process next tries to send a heartbeat, which it does if the product is healthy then; undefined
   * if it sends none.
   */
  readonly nextKeepAliveAt: string | undefined;
}

/** The status to show when the options of `createTelemetry` are unusable. */
export function describeProblems(problems: readonly string[]): InspectorStatus {
  return {
    state: "off",
    reason: toReason("options_invalid"),
    problems,
    counts: { kept: 0, dropped: {}, trimmed: {} },
    product: undefined,
    kept: undefined,
    held: undefined,
  };
}

/** Reads consent again, and describes the state. */
export async function readStatus(core: Core): Promise<InspectorStatus> {
  const { plan, planHash, host } = core.settings;
  const state = core.state;
  return {
    state: state.state,
    reason: state.state === "off" ? toReason(state.reason) : undefined,
    problems: core.problems.list(),
    counts: core.counts.report(),
    product: {
      name: plan.product,
      plan: { version: plan.version, hash: planHash },
      sentTo: `${host.origin}${host.pathname === "/" ? "" : host.pathname}`,
      switches: { disable: plan.switches.disable, mode: modeSwitch(plan.product) },
      sources: describeSources(plan, readText(core.folder.receipts), (source) => core.decisionsOf(source)),
    },
    kept: state.state === "on" ? await readKept(core) : undefined,
    held: state.state === "on" ? undefined : await readHeld(core),
  };
}

/** The state of telemetry, as far as it can be known from a state folder and the machine's policy. */
export interface FolderStatus {
  readonly product: string;
  readonly plan: { readonly version: number; readonly hash: string };
  /**
   * The product's own environment variables: those of `disable` turn telemetry off, `mode` sets it to `off`
   * or `log`.
   */
  readonly switches: { readonly disable: readonly string[]; readonly mode: string };
  /**
   * What is sent and what is withheld, unless the environment of the product's process or the product's own
   * setting forbids it.
   */
  readonly sources: readonly SourceStatus[];
}

/**
 * Describes a state folder. Undefined if the folder contains no plan (telemetry is off there), or one that
 * cannot be parsed.
 */
export function readFolderStatus(folder: StateFolder, policyFile: string): FolderStatus | undefined {
  const kept = readKeptPlan(folder.plan);
  if (kept === undefined) return undefined;
  const { plan, planHash } = kept;
  const products = [plan.product];
  // The product's environment and its own setting cannot be known from outside.
  const outside = { environment: () => ({}), allowed: () => undefined };
  const gate = new ConsentGate({ plan, planHash, products, policyFile, ...outside }, folder);
  return {
    product: plan.product,
    plan: { version: plan.version, hash: planHash },
    switches: { disable: plan.switches.disable, mode: modeSwitch(plan.product) },
    sources: describeSources(plan, readText(folder.receipts), (source) => gate.decisionsOf(source)),
  };
}

/** Describes each source of a plan. @param text the stored answers, as `readText` returns them */
function describeSources(
  plan: Plan,
  text: string | undefined | null,
  decisionsOf: (source: Source) => SourceDecisions,
): readonly SourceStatus[] {
  const records = (typeof text === "string" ? readConsentRecords(text) : undefined) ?? [];
  return SHOWN_SOURCES.filter((source) => plan.sources[source] !== undefined).map((source) => {
    const decisions = decisionsOf(source);
    return {
      source,
      answer: latestConsentRecord(records, source),
      rules: rulesOf(plan, source).map((rule) => describeRule(plan, source, rule, decisions[rule])),
    };
  });
}

function describeRule(plan: Plan, source: Source, rule: Rule, decision: Decision): RuleStatus {
  const events = plan.events.filter(
    (event) => event.sources.includes(source) && consentOf(plan, source, event) === rule,
  );
  const all: Withheld = { events: events.map(labelOf), fields: [] };
  return {
    rule,
    allow: decision.allow,
    reason: toReason(decision.reason),
    coversVersion: decision.allow ? decision.coversVersion : undefined,
    withheld: decision.allow ? withheldOf({ ...plan, events }, decision.coversVersion, source) : all,
  };
}

async function readHeld({ folder }: Core): Promise<OutboxTotals | undefined> {
  const totals = await countOutbox(folder.outbox);
  return totals.files === 0 ? undefined : totals;
}

async function readKept({ folder, session }: Core): Promise<KeptStatus | undefined> {
  if (session === undefined) return undefined;
  const { instanceId, createdAt } = session.instance;
  const { lastAtMs } = readKeepAlive(folder.keepAlive);
  const dueAtMs = session.heartbeatDueAtMs;
  return {
    instanceId,
    createdAt,
    outbox: await countOutbox(folder.outbox),
    delivery: readDelivery(folder.delivery),
    lastKeepAliveAt: lastAtMs === undefined ? undefined : new Date(lastAtMs).toISOString(),
    nextKeepAliveAt: dueAtMs === undefined ? undefined : new Date(dueAtMs).toISOString(),
  };
}

function toReason(code: string): Reason {
  return { code, sentence: SENTENCES[code] ?? code };
}
