/** Owns the functions of Node that are replaced for a while, and finds the line that called one. */
import { syncBuiltinESMExports } from "node:module";

type Wrapped = (this: unknown, ...args: unknown[]) => unknown;

/** Looks at a call. @param at finds the line that made it */
type Look = (self: unknown, args: readonly unknown[], at: () => string | undefined) => void;

/** Functions of Node that are replaced for a while. */
export interface Patches {
  /**
   * Has something called before a function is. What that throws is swallowed: the function is called in any case.
   * Functions that this Node does not have are left out.
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
          // Whatever it was given, Node says what is wrong with it.
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
