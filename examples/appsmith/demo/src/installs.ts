/** Makes the story's runs of the installer: those that led to an instance, and those that failed. */
import { createRandom, type Random } from "./random.ts";
import {
  HOUR_MS,
  INSTALL_FAULTS,
  type Install,
  type Instance,
  releaseAt,
  type StoryBase,
  SYSTEMS,
} from "./story.ts";

const MINUTE_MS = 60_000;
/** The number of runs that never lead to an instance, as a share of the number of instances. */
const LOST_SHARE = 0.28;

/** Makes all runs, oldest first. */
export function makeInstalls(base: StoryBase, fleet: readonly Instance[]): readonly Install[] {
  const led = fleet.flatMap((instance) => {
    const random = createRandom(`${base.seed}/install/${instance.number}`);
    return instance.installId === undefined ? [] : makeSuccessful(base, instance, instance.installId, random);
  });
  const random = createRandom(`${base.seed}/lost`);
  const lost = Array.from({ length: Math.round(fleet.length * LOST_SHARE) }, () =>
    makeFailed(base, random.between(base.fromMs, base.toMs - HOUR_MS), random, 0.25),
  );
  return [...led, ...lost].sort((one, other) => one.atMs - other.atMs);
}

/** Makes the run that led to an instance, sometimes preceded by a run that failed. */
function makeSuccessful(base: StoryBase, instance: Instance, id: string, random: Random): readonly Install[] {
  const { life, starts, isRefused } = instance;
  const atMs = life.fromMs - random.between(2, 8) * MINUTE_MS;
  const success: Install = {
    id,
    atMs,
    endMs: life.fromMs,
    version: starts[0].release.version,
    os: random.pickRow(SYSTEMS).os,
    outcome: "success",
    email: undefined,
    isRefused,
  };
  const failed = {
    ...makeFailed(base, atMs - random.between(5, 90) * MINUTE_MS, random, 0),
    os: success.os,
  };
  return random.isLikely(0.22) ? [{ ...failed, isRefused }, success] : [success];
}

function makeFailed(base: StoryBase, atMs: number, random: Random, silentShare: number): Install {
  const { error } = random.pickRow(INSTALL_FAULTS);
  const isSilent = random.isLikely(silentShare);
  const asksForHelp = !isSilent && error !== "interrupted" && random.isLikely(0.2);
  return {
    id: random.hex(32),
    atMs,
    endMs: atMs + random.between(0.2, 4) * MINUTE_MS,
    version: releaseAt(base, atMs).version,
    os: error === "os_not_supported" ? "alpine" : random.pickRow(SYSTEMS).os,
    outcome: isSilent ? "silent" : error,
    email: asksForHelp ? `person-${random.hex(6)}@example.org` : undefined,
    isRefused: random.isLikely(0.03),
  };
}
