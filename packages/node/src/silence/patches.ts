/** Replaces functions of Node temporarily, and finds the line that called a function. */
import { syncBuiltinESMExports } from "node:module";

type Wrapped = (this: unknown, ...args: unknown[]) => unknown;

/** Inspects a call. @param at returns the line that made the call */
type Look = (self: unknown, args: readonly unknown[], at: () => string | undefined) => void;

export interface Patches {
  /**
   * Calls `look` before each call of a function. Errors thrown by `look` are ignored, and the original is
   * called in any case. Does nothing if this version of Node lacks the function.
   */
  before(owner: object, name: string, look: Look): void;
  /** Makes the replaced functions visible to modules that imported them by name. */
  publish(): void;
  /** Restores all functions. */
  restore(): void;
}

export function createPatches(): Patches {
  const undo: (() => void)[] = [];
  return {
    before: (owner, name, look) => {
      const descriptor = Object.getOwnPropertyDescriptor(owner, name);
      const original: unknown = descriptor?.value;
      if (descriptor === undefined || typeof original !== "function") return;
      const wrapper: Wrapped = function (...args) {
        try {
          look(this, args, () => findCaller(wrapper));
        } catch {
          // If the arguments are invalid, Node itself reports that.
        }
        return Reflect.apply(original, this, args);
      };
      // Keeps properties such as `util.promisify.custom`.
      Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
      Object.defineProperty(owner, name, { ...descriptor, value: wrapper });
      undo.push(() => Object.defineProperty(owner, name, descriptor));
    },
    publish: syncBuiltinESMExports,
    restore: () => {
      for (const put of undo.splice(0).reverse()) put();
      syncBuiltinESMExports();
    },
  };
}

/** Enough frames to reach the product's code through a framework. */
const MAX_FRAMES = 100;
/** Matches `at f (/app/a.js:1:2)`, `at /app/a.js:1:2` and `at async file:///app/a.js:1:2`. */
const PLACE = /(?:\(|\bat (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * The line outside Node from which a function was called; undefined if the stack contains none.
 * @param above frames up to and including this function are ignored
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
