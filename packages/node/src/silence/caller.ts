/** Enough to get through a framework to the product. */
const MAX_FRAMES = 100;
/** `at f (/app/a.js:1:2)`, `at /app/a.js:1:2`, `at async file:///app/a.js:1:2`. */
const PLACE = /(?:\(|\bat (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * The line, outside of Node, from which a function was called; undefined when none is on the stack.
 * @param above the function whose callers count
 */
export function findCaller(above: (...args: never[]) => unknown): string | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = MAX_FRAMES;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, above);
  Error.stackTraceLimit = stackTraceLimit;
  for (const line of holder.stack?.split("\n") ?? []) {
    const [, place] = PLACE.exec(line) ?? [];
    if (place !== undefined) return place.replace(/^file:\/\//, "");
  }
  return undefined;
}
