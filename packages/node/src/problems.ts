/**
 * Finds and collects the mistakes in what a product passed, as sentences that say what to write instead, and
 * passes them to the product's `debug`.
 */
import { RateLimiter } from "@candor/envelope/rate-limiter";

/** Where the problem is: in the plan, or in the arguments of a call. */
type Where = "plan" | "createTelemetry" | "keepAlive" | "gateway" | "inspector";

export const NO_EVENTS =
  "plan: it declares no event for the server; `track()` and the other calls have nothing to send.";

/**
 * The current mistakes in the plan and in what the product passed, as sentences that say what to write
 * instead.
 */
export class Problems {
  readonly #warn: (line: string) => void;
  readonly #noted = new Map<Where, readonly string[]>();

  constructor(warn: (line: string) => void) {
    this.#warn = warn;
  }

  /**
   * Replaces the problems noted for the same place, except for gateways: there may be several, so theirs are
   * added.
   */
  note(where: Where, problems: readonly string[]): void {
    const before = where === "gateway" ? (this.#noted.get(where) ?? []) : [];
    this.#noted.set(where, [...new Set([...before, ...problems])]);
    for (const problem of problems) this.#warn(problem);
  }

  list(): readonly string[] {
    return [...this.#noted.values()].flat();
  }
}

const DAY_MS = 24 * 60 * 60_000;
/**
 * The number of kinds remembered. Beyond that, the least recent kind is forgotten, so `debug` may be warned
 * of it again within the day.
 */
const MAX_KINDS = 1000;

/**
 * Passes a line to `debug`, unless it was passed one of the same kind within the last day.
 * @param kind by default the line itself
 */
export type WarnOnce = (line: string, kind?: string) => void;

/**
 * Returns a function that passes lines to a product's `debug`, each kind at most once a day.
 * @param debug must not throw
 * @param monotonic milliseconds, see `Clock`
 */
export function createWarnOnce(debug: (line: string) => void, monotonic: () => number): WarnOnce {
  const warned = new RateLimiter({ burst: 1, everyMs: DAY_MS, maxKeys: MAX_KINDS, clockMs: monotonic });
  return (line, kind = line) => {
    if (warned.waitMs(kind) > 0) return;
    warned.take(kind);
    debug(line);
  };
}

/** Finds names that are not options. @param call what precedes the name, such as `gateway.` */
export function findUnknown(given: object, names: readonly string[], call = ""): readonly string[] {
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = names.find((known) => known.toLowerCase() === name.toLowerCase());
      const instead = meant === undefined ? `these are known: ${names.join(", ")}` : `write \`${meant}\``;
      return `${call}${name}: there is no such option; ${instead}.`;
    });
}

/**
 * Finds a value that is not a finite number in the range. `undefined` is always valid.
 * @param what the expected value, such as `a number of hours`
 */
export function findNoNumber(
  name: string,
  value: unknown,
  what: string,
  least: number,
  most = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return [];
  const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  return [`${name}: give ${what}, ${range}.`];
}

/**
 * Finds a value that is not of a type. `undefined` is always valid, `null` never.
 * @param what the expected value, such as `a function`
 */
export function findOtherType(
  name: string,
  value: unknown,
  type: "function" | "string" | "object" | "boolean",
  what: string,
): readonly string[] {
  return value === undefined || (typeof value === type && value !== null) ? [] : [`${name}: give ${what}.`];
}
