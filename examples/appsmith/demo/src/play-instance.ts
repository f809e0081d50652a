/**
 * Plays one instance through the server SDK: gives it a state folder and consent, and sends all messages of
 * its life at once.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTelemetry, type Telemetry } from "@candor/node";
import { type Collector, PATIENCE_MS } from "./collector.ts";
import type { DemoPlan } from "./demo-plan.ts";
import type { Gateways } from "./play-browser.ts";
import { createRandom } from "./random.ts";
import type { Instance, StoryBase } from "./story.ts";
import { type Action, actionsOf, copiedHeartbeatsOf, type Heartbeat, heartbeatsOf } from "./timeline.ts";

const FLUSH_TIMEOUT_MS = 20_000;
const FLUSH_AGAIN_MS = 500;

export interface PlayContext {
  readonly base: StoryBase;
  readonly collector: Collector;
  readonly plan: DemoPlan;
  readonly gateways: Gateways;
  /** Holds the state folders of the instances that are being played. */
  readonly dir: string;
  /** Called with a sentence for each thing that did not go as planned. */
  readonly onFault: (sentence: string) => void;
}

/**
 * Resolves once the collector has accepted everything that the instance, its browsers and its copy sent, or
 * PATIENCE_MS is over, first for the instance and then for its copy.
 */
export async function playInstance(context: PlayContext, instance: Instance): Promise<void> {
  const { base } = context;
  await withTelemetry(context, instance, "own", async (telemetry) => {
    const ids = idsOf(base, instance);
    for (const [index, heartbeat] of heartbeatsOf(base, instance).entries())
      trackHeartbeat(telemetry, instance, heartbeat, index === 0);
    for (const action of actionsOf(base, instance)) trackAction(telemetry, action, ids);
    await context.gateways.play(base, instance, telemetry);
  });
  const copied = copiedHeartbeatsOf(base, instance);
  if (copied.length === 0) return;
  await withTelemetry(context, instance, "copy", async (telemetry) => {
    for (const heartbeat of copied) trackHeartbeat(telemetry, instance, heartbeat, false);
  });
}

async function withTelemetry(
  context: PlayContext,
  instance: Instance,
  place: "own" | "copy",
  play: (telemetry: Telemetry) => Promise<void>,
): Promise<void> {
  const { collector, plan, dir, onFault } = context;
  const stateDir = join(dir, `${instance.number}-${place}`);
  mkdirSync(stateDir);
  const telemetry = createTelemetry({
    plan: plan.generated,
    source: "server",
    writeKey: collector.keys.writeKeys.server,
    host: collector.url,
    stateDir,
    instanceKey: instance.key,
    environment: environmentOf(instance),
  });
  try {
    await play(telemetry);
    await flush(telemetry);
    for (const sentence of faultsOf(telemetry, instance)) onFault(`Instance ${instance.number}: ${sentence}`);
  } finally {
    await telemetry.close({ timeoutMs: 0 });
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/**
 * The environment of the instance's server: what its operator wrote into docker.env, and `CI` or `NODE_ENV`,
 * which say where it runs.
 */
function environmentOf({ environment, people, isRefused }: Instance): Readonly<Record<string, string>> {
  return {
    APPSMITH_DISABLE_TELEMETRY: String(isRefused),
    ...(people.length > 0 ? { APPSMITH_CLIENT_TELEMETRY: "true" } : {}),
    ...(environment === "ci" ? { CI: "true" } : { NODE_ENV: environment }),
  };
}

/**
 * Flushes until all is sent, or PATIENCE_MS is over. The SDK itself waits for as long as the collector asks.
 */
async function flush(telemetry: Telemetry): Promise<void> {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  while (!(await telemetry.flush({ timeoutMs: FLUSH_TIMEOUT_MS })) && Date.now() < giveUpAtMs)
    await sleep(FLUSH_AGAIN_MS);
}

function faultsOf(telemetry: Telemetry, { isRefused }: Instance): readonly string[] {
  const { state, problems, counts, refused, lastFault } = telemetry.status();
  if (isRefused) return state === "off" ? [] : ["it sends although its operator said No."];
  const lost = Object.entries({ ...counts.dropped, ...counts.trimmed, ...refused });
  return [
    ...(state === "on" ? [] : ["its telemetry is off."]),
    ...problems,
    ...lost.map(([what, count]) => `${count} times ${what}.`),
    ...(lastFault === undefined ? [] : [lastFault]),
  ];
}

function trackHeartbeat(
  telemetry: Telemetry,
  { edition, os, arch, runtime, installId }: Instance,
  { atMs, start }: Heartbeat,
  isFirst: boolean,
): void {
  const facts = { version: start.release.version, edition, os, arch, runtime };
  const properties = {
    ...facts,
    boot: start.boot,
    ...(isFirst && installId !== undefined ? { installId } : {}),
  };
  telemetry.track("Instance Active", properties, { timestamp: new Date(atMs) });
}

interface Ids {
  readonly org: string;
  readonly apps: readonly { readonly id: string; readonly page: string }[];
  readonly people: readonly string[];
}

function idsOf({ seed }: StoryBase, { number }: Instance): Ids {
  const random = createRandom(`${seed}/ids/${number}`);
  return {
    org: random.hex(24),
    apps: Array.from({ length: 3 }, () => ({ id: random.hex(24), page: random.hex(24) })),
    people: Array.from({ length: 5 }, (_, person) => `person-${person}@example.org`),
  };
}

function trackAction(telemetry: Telemetry, action: Action, { org, apps, people }: Ids): void {
  const { plugin, start, atMs, isSuccess, elapsedMs, mode } = action;
  const app = apps[action.app];
  const username = people[action.person];
  const properties = {
    appId: app?.id,
    appMode: mode,
    appName: `App ${action.app + 1}`,
    datasource: { name: plugin.plugin },
    isExampleApp: false,
    isSuccessfulExecution: isSuccess,
    name: "Query1",
    orgId: org,
    originService: "appsmith-server",
    pageId: app?.page,
    pageName: "Page1",
    pluginName: plugin.plugin,
    statusCode: isSuccess ? "" : plugin.failedAs,
    timeElapsed: elapsedMs,
    type: plugin.type,
    username,
    version: start.release.version,
  };
  telemetry.track("execute_ACTION_TRIGGERED", properties, { userId: username, timestamp: new Date(atMs) });
}
