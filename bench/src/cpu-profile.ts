/**
 * What `node --cpu-prof` writes, as far as it is read here. Times are microseconds of the machine's monotonic clock, which
 * `process.hrtime` reads too.
 * @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  /** The id of the node that ran, sample by sample. */
  readonly samples: readonly number[];
  /** Time since the sample before, or since `startTime`. */
  readonly timeDeltas: readonly number[];
};

export type ProfileNode = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
};

/** Something that may be on the stack: any of these functions, of files whose address ends so (default: of any). */
export type Part = {
  readonly name: string;
  readonly functions: readonly string[];
  readonly file?: string;
};

export type PartShares = {
  /** Samples in the window in which the thread was not idle. */
  readonly samples: number;
  /** Part by part: the share of these samples whose stack holds one of its functions. */
  readonly shares: readonly number[];
};

const IDLE = "(idle)";

/** @param window from, until; microseconds as in the profile. Default: all of it. */
export function sharesOf(
  profile: CpuProfile,
  parts: readonly Part[],
  [fromUs, untilUs]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): PartShares {
  const stacks = stacksOf(profile.nodes);
  const holders = parts.map((part) => nodesBelow(part, stacks));
  const counts = parts.map(() => 0);
  let samples = 0;
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    if (atUs < fromUs || atUs >= untilUs || stacks.get(id)?.[0]?.callFrame.functionName === IDLE) continue;
    samples++;
    for (const [part, holder] of holders.entries())
      if (holder.has(id)) counts[part] = (counts[part] ?? 0) + 1;
  }
  return { samples, shares: counts.map((count) => count / samples) };
}

/** Each node with all that are above it, itself first. */
function stacksOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, readonly ProfileNode[]> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return new Map(
    nodes.map((node) => {
      const stack = [node];
      for (let above = parents.get(node.id); above !== undefined; above = parents.get(above.id))
        stack.push(above);
      return [node.id, stack];
    }),
  );
}

function nodesBelow(part: Part, stacks: ReadonlyMap<number, readonly ProfileNode[]>): ReadonlySet<number> {
  const isOf = ({ callFrame: { functionName, url } }: ProfileNode) =>
    part.functions.includes(functionName) && (part.file === undefined || url.endsWith(part.file));
  return new Set([...stacks].filter(([, stack]) => stack.some(isOf)).map(([id]) => id));
}
