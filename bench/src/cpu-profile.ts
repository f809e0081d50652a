/**
 * Sums up the time of each function in a `node --cpu-prof` file. Times are microseconds of the machine's
 * monotonic clock, which `process.hrtime` also reads.
 * @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */

export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  /** For each sample, the id of the node that was running. */
  readonly samples: readonly number[];
  /** For each sample, the time since the previous sample, or since `startTime`. */
  readonly timeDeltas: readonly number[];
};

export type ProfileNode = {
  readonly id: number;
  /** `lineNumber` counts from 0. */
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
};

/** Time spent in the function itself, without its callees. */
export type SelfTime = {
  readonly functionName: string;
  /** The script's URL; empty for native code, such as the garbage collector. */
  readonly url: string;
  /** Counts from 1. */
  readonly line: number;
  /** The function's share of the time in which the thread was not idle. */
  readonly share: number;
};

export type SelfTimes = {
  /** The share of the window in which the thread was not idle. */
  readonly busyShare: number;
  /** All functions that ran, except idling, the one with the most time first. */
  readonly functions: readonly SelfTime[];
};

const IDLE = "(idle)";

/**
 * Sums up the samples of each function.
 * @param window start (included) and end (excluded), in microseconds as in the profile. Default: the whole
 * profile.
 */
export function selfTimesOf(
  profile: CpuProfile,
  [fromUs, untilUs]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): SelfTimes {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const counts = new Map<string, { frame: ProfileNode["callFrame"]; samples: number }>();
  let samples = 0;
  let busy = 0;
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    if (atUs < fromUs || atUs >= untilUs || frame === undefined) continue;
    samples++;
    if (frame.functionName === IDLE) continue;
    busy++;
    const key = `${frame.url}:${frame.lineNumber}:${frame.functionName}`;
    const count = counts.get(key) ?? { frame, samples: 0 };
    count.samples++;
    counts.set(key, count);
  }
  const functions = [...counts.values()]
    .map(({ frame, samples: own }) => ({
      functionName: frame.functionName,
      url: frame.url,
      line: frame.lineNumber + 1,
      share: own / busy,
    }))
    .sort((a, b) => b.share - a.share);
  return { busyShare: samples === 0 ? 0 : busy / samples, functions };
}
