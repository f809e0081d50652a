/**
 * Plays a whole story against a collector: first the installs, then the instances, several at the same time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Collector } from "./collector.ts";
import { countInstance, eventsOf } from "./count-story.ts";
import { checkPlanInForce, readDemoPlan } from "./demo-plan.ts";
import { openGateways } from "./play-browser.ts";
import { playInstall } from "./play-installs.ts";
import { type PlayContext, playInstance } from "./play-instance.ts";
import type { Story } from "./story.ts";

/**
 * How many installs or instances are played at the same time. Enough to keep a collector on a small machine
 * busy.
 */
const AT_ONCE = 4;

export interface PlayOptions {
  readonly collector: Collector;
  readonly story: Story;
  /** Called after each run of the installer and after each instance. @param messages how many it sent */
  readonly onPlayed: (messages: number) => void;
}

/**
 * Resolves once the whole story has been sent, with a sentence for each thing that was not kept as planned;
 * normally there are none. Deletes everything that it wrote to disk.
 * @throws DemoFault
 */
export async function playStory({ collector, story, onPlayed }: PlayOptions): Promise<readonly string[]> {
  const plan = readDemoPlan();
  await checkPlanInForce(collector, plan);
  const faults: string[] = [];
  const dir = mkdtempSync(join(tmpdir(), "candor-demo-"));
  const clean = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", clean); // also after Ctrl-C
  const gateways = await openGateways(collector);
  const context: PlayContext = {
    base: story,
    collector,
    plan,
    gateways,
    dir,
    onFault: (sentence) => faults.push(sentence),
  };
  try {
    await forEach(story.installs, async (install) => {
      await playInstall(context, install);
      onPlayed(eventsOf(install).length);
    });
    // Instances that ended first are played first, so that the newest messages belong to instances that are alive.
    const fleet = [...story.fleet].sort((one, other) => one.life.toMs - other.life.toMs);
    await forEach(fleet, async (instance) => {
      await playInstance(context, instance);
      const { heartbeats, actions, browserEvents } = countInstance(story, instance);
      onPlayed(heartbeats + actions + browserEvents);
    });
  } finally {
    gateways.close();
    process.off("exit", clean);
    clean();
  }
  return faults;
}

/** Calls `work` for each value. Starts the calls in order, and runs at most AT_ONCE at the same time. */
async function forEach<Value>(
  values: readonly Value[],
  work: (value: Value) => Promise<void>,
): Promise<void> {
  const waiting = values.values();
  const workOff = async (): Promise<void> => {
    for (const value of waiting) await work(value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
}
