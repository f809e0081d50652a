import { syncBuiltinESMExports } from "node:module";
import { findCaller } from "./caller.ts";

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
