/** Plays the runs of the installer: posts their events in the form in which the installer kit sends them. */
import { randomBytes } from "node:crypto";
import { decide, writeConsentRecord } from "@candor/consent";
import { VERSION } from "@candor/node/operator";
import { modeSwitch } from "@candor/plan";
import { postBatch } from "./collector.ts";
import { eventsOf } from "./count-story.ts";
import type { PlayContext } from "./play-instance.ts";
import type { Install } from "./story.ts";

const LIBRARY = { name: "candor-installer", version: VERSION };

/**
 * Sends the events of one run, unless its operator refused. Resolves once the collector has accepted them.
 */
export async function playInstall(context: PlayContext, install: Install): Promise<void> {
  if (!maySend(context, install)) return;
  const { id, atMs, endMs } = install;
  const run = eventsOf(install)
    .filter((event) => event !== "Installation Support")
    .map((event) =>
      toMessage(context, install, { event, id, atMs: event === "Installation Started" ? atMs : endMs }),
    );
  await post(context, run);
  // The request for support has its own id, so that nothing links the e-mail address to the install.
  const support = { event: "Installation Support", id: randomHex(), atMs: endMs };
  if (install.email !== undefined) await post(context, [toMessage(context, install, support)]);
}

/** Whether the kit would send after it has shown and recorded the notice. */
function maySend({ plan: { plan, hash } }: PlayContext, { atMs, isRefused }: Install): boolean {
  const time = new Date(atMs).toISOString();
  const about = { planVersion: plan.version, planHash: hash };
  const { allow } = decide({
    product: plan.product,
    switches: { disable: plan.switches.disable, optIn: plan.switches.optIn, mode: modeSwitch(plan.product) },
    environment: isRefused ? { DO_NOT_TRACK: "1" } : {},
    policy: undefined,
    receipts: writeConsentRecord({ source: "installer", answer: "notice", time, ...about, by: "installer" }),
    source: "installer",
    rule: "notice",
    plan: { version: plan.version, hash },
  });
  return allow;
}

interface Told {
  readonly event: string;
  readonly id: string;
  readonly atMs: number;
}

function toMessage(
  { collector }: PlayContext,
  { os, version, outcome, email }: Install,
  { event, id, atMs }: Told,
): object {
  const isFault = event === "Installation Errors" || event === "Installation Support";
  return {
    type: "track",
    event,
    anonymousId: id,
    messageId: randomHex(),
    timestamp: toWholeSeconds(atMs),
    context: { library: LIBRARY },
    integrations: {},
    properties: {
      ...(isFault ? { error: outcome } : {}),
      ...(event === "Installation Support" ? { email } : {}),
      os,
      version,
    },
    writeKey: collector.keys.writeKeys.installer,
  };
}

async function post({ collector, onFault }: PlayContext, batch: readonly object[]): Promise<void> {
  const body = JSON.stringify({ batch, sentAt: toWholeSeconds(Date.now()) });
  const reasons = await postBatch(`${collector.url}/v1/batch`, body);
  for (const reason of reasons) onFault(`The installer's event was dropped: ${reason}.`);
}

/** Formats a time like `date -u +%FT%TZ`, as the kit does. */
function toWholeSeconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

function randomHex(): string {
  return randomBytes(16).toString("hex");
}
