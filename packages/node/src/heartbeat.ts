/** Builds the event that `keepAlive()` sends, and checks whether the plan accepts it unchanged. */

import { toInstanceId } from "@candor/envelope/instance-proof";
import { isRecord } from "@candor/envelope/unknown-value";
import { eventKey, type Plan, type PlanEvent, TRIM_REASONS, type Trim } from "@candor/plan/runtime";
import { compileAgreed, createRedactors } from "./consent/agreed-plan.ts";
import type { SourceDecisions } from "./consent/gate.ts";
import { type Draft, toChecked } from "./message.ts";
import { MessageFacts } from "./message-facts.ts";
import { copyPlain } from "./plain-copy.ts";
import { DROP_REASONS, type DropReason } from "./reasons.ts";
import type { Settings } from "./settings.ts";

const HEARTBEAT = "Instance Active";
/** A sample in the form of a real id. No key is generated for it, because telemetry may be off. */
const SAMPLE_ID = toInstanceId(Buffer.alloc(32));
const SAMPLE_HASH = "0".repeat(64);

/** Returns what the product says about itself in each heartbeat: an object whose names the plan declares. */
export type Facts = () => object;

export interface HeartbeatParts {
  /** The nonce of the last start that the state folder recorded, 16 hex digits. */
  readonly boot: string;
  /** If this function throws, the heartbeat is sent without facts. */
  readonly facts: Facts | undefined;
  /**
   * The id of the install that created the instance, 32 hex digits; undefined if none is known, or once a
   * heartbeat has carried it.
   */
  readonly installId: string | undefined;
  readonly timestampMs: number;
}

export function writeHeartbeat({ boot, facts, installId, timestampMs }: HeartbeatParts): Draft {
  const values: Draft["values"] = { ...readFacts(facts), boot };
  if (installId !== undefined) values.installId ??= installId;
  return { type: "track", name: HEARTBEAT, values, context: {}, timestampMs };
}

function readFacts(facts: Facts | undefined): Draft["values"] {
  try {
    const given: unknown = facts?.();
    return isRecord(given) ? copyPlain(given) : {};
  } catch {
    return {};
  }
}

export type HeartbeatSettings = Pick<Settings, "plan" | "common" | "environment">;

/**
 * Checks a heartbeat as it will be sent.
 * @returns one sentence for each problem, which says what to write instead
 */
export function checkHeartbeat(
  settings: HeartbeatSettings,
  facts: Facts | undefined,
  nowMs: number,
): readonly string[] {
  const { plan } = settings;
  const event = plan.events.find(
    ({ type, name, sources }) => type === "track" && name === HEARTBEAT && sources.includes("server"),
  );
  if (event === undefined) return [EVENT_MISSING];
  const parts = { boot: "0123456789abcdef", facts, installId: undefined, timestampMs: nowMs };
  const draft = writeHeartbeat(parts);
  const given = Object.keys(draft.values);
  new MessageFacts(settings).addTo("server", draft, eventKey(draft.type, draft.name), SAMPLE_ID);
  const redactors = createRedactors({ keyedHash: () => SAMPLE_HASH });
  const verdict = compileAgreed(plan, "server", allowAll(plan), redactors)(toChecked(draft), nowMs);
  return verdict.kept
    ? explainTrims(event, given, verdict.trims)
    : explainDrop(event, draft.values, verdict.reason);
}

function explainTrims(
  { fields }: PlanEvent,
  given: readonly string[],
  trims: readonly Trim[],
): readonly string[] {
  const undeclared = given.filter((name) => name !== "boot" && !Object.hasOwn(fields, name));
  const spoilt = trims.filter(({ reason }) => reason !== "undeclared");
  return [
    ...undeclared.map(
      (name) => `keepAlive.facts: the plan's event "${HEARTBEAT}" does not declare \`${name}\`.`,
    ),
    ...spoilt.map(
      ({ path, reason }) =>
        `keepAlive: the plan's event "${HEARTBEAT}" takes \`${path}\` out of each heartbeat. ${TRIM_REASONS[reason]}`,
    ),
  ];
}

function explainDrop({ fields }: PlanEvent, sent: Draft["values"], reason: DropReason): readonly string[] {
  const missing = Object.entries(fields).filter(
    ([name, { required }]) => required && !Object.hasOwn(sent, name),
  );
  if (reason !== "required_missing" || missing.length === 0)
    return [`keepAlive: every heartbeat is dropped (${reason}). ${DROP_REASONS[reason]}`];
  return missing.map(
    ([name]) =>
      `keepAlive: the plan's event "${HEARTBEAT}" requires \`${name}\`, which is not sent with it, so every heartbeat is dropped. Give it in \`facts\`, or take \`required\` away.`,
  );
}

const EVENT_MISSING = `keepAlive: the plan declares no event "${HEARTBEAT}" for the server. Without it there is no heartbeat.`;

/** Returns decisions as if everything had been agreed to. */
function allowAll({ version }: Plan): SourceDecisions {
  const decision = { allow: true, reason: "consented", coversVersion: version } as const;
  return { notice: decision, "opt-in": decision };
}
