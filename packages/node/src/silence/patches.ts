/** Replaces functions of Node for a while, and finds the line that called one. */
import { syncBuiltinESMExports } from "node:module";

type Wrapped = (this: unknown, ...args: unknown[]) => unknown;

/** Inspects a call. @param at finds the line that made it */
type Look = (self: unknown, args: readonly unknown[], at: () => string | undefined) => void;

/** Functions of Node that are replaced for a while. */
export interface Patches {
  /**
   * Calls a function before another one is called. What it throws is swallowed: the original is called in any case.
   * Functions that this Node lacks are skipped.
   */
  before(owner: object, name: string, look: Look): void;
  /** Lets modules that are imported by name see the replaced functions. */
  publish(): void;
  /** Puts everything back. */
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
          // Whatever was passed, Node reports what is wrong with it.
        }
        return Reflect.apply(original, this, args);
      };
      // Such as `util.promisify.custom`.
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

/** Enough to get through a framework to the product. */
const MAX_FRAMES = 100;
/** `at f (/app/a.js:1:2)`, `at /app/a.js:1:2`, `at async file:///app/a.js:1:2`. */
const PLACE = /(?:\(|\bat (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * The line outside Node from which a function was called; undefined if there is none on the stack.
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
