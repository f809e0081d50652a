/** The one event of `keepAlive()`: what it holds, and whether the plan takes it as it is. */

import { type Plan, TRIM_REASONS } from "@candor/plan/runtime";
import type { SourceDecisions } from "./consent/consent-watch.ts";
import { createJudge } from "./consent/judge.ts";
import { createReducers } from "./consent/reducers.ts";
import { type Draft, toJudged } from "./message.ts";
import { DROP_REASONS } from "./reasons.ts";
import { ServerFacts } from "./server-facts.ts";
import { makePassingInstance } from "./state/instance.ts";

const HEARTBEAT = "Instance Active";

/** @param boot the nonce of the folder's last start, 16 hex */
export function writeHeartbeat(boot: string, timestampMs: number): Draft {
  return { type: "track", name: HEARTBEAT, values: { boot }, context: {}, timestampMs };
}

/** Judges a heartbeat as it will be sent. @returns what the plan does not take, each with what to write instead */
export function checkHeartbeat(plan: Plan, nowMs: number): readonly string[] {
  const event = plan.events.find(
    ({ type, name, sources }) => type === "track" && name === HEARTBEAT && sources.includes("server"),
  );
  if (event === undefined) return [EVENT_MISSING];
  const instance = makePassingInstance(nowMs);
  const draft = writeHeartbeat("0123456789abcdef", nowMs);
  new ServerFacts(plan).addTo(draft, instance.instanceId);
  const judged = createJudge(
    plan,
    "server",
    allowAll(plan),
    createReducers(instance),
  )(toJudged(draft), nowMs);
  if (judged.kept) {
    const spoilt = judged.trims.filter(({ reason }) => reason !== "undeclared");
    return spoilt.map(
      ({ path, reason }) =>
        `keepAlive: the plan's event "${HEARTBEAT}" takes \`${path}\` out of each heartbeat. ${TRIM_REASONS[reason]}`,
    );
  }
  const missing = Object.entries(event.fields).filter(
    ([name, { required }]) => required && !Object.hasOwn(draft.values, name),
  );
  if (judged.reason !== "required_missing" || missing.length === 0)
    return [`keepAlive: every heartbeat is dropped (${judged.reason}). ${DROP_REASONS[judged.reason]}`];
  return missing.map(
    ([name]) =>
      `keepAlive: the plan's event "${HEARTBEAT}" requires \`${name}\`, which is not sent with it, so every heartbeat is dropped. Take \`required\` away.`,
  );
}

const EVENT_MISSING = `keepAlive: the plan declares no event "${HEARTBEAT}" for the server. Without it there is no sign of life.`;

/** As if everything had been agreed to. */
function allowAll({ version }: Plan): SourceDecisions {
  const decision = { allow: true, reason: "consented", coversVersion: version } as const;
  return { notice: decision, "opt-in": decision };
}
