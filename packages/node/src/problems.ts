/** Owns what is wrong with what a product gave, and how its `debug` is warned: sentences that say what to write instead. */
import { RateLimiter } from "@candor/envelope/rate-limiter";

/** What is wrong: the plan, or what a call was given. */
type Where = "plan" | "createTelemetry" | "keepAlive" | "gateway" | "inspector";

export const NO_EVENTS =
  "plan: it declares no event for the server; `track()` and the other calls have nothing to send.";

/** What a product gave wrongly, since it began: sentences that say what to write instead. `debug` is warned of each. */
export class Problems {
  readonly #warn: (line: string) => void;
  readonly #noted = new Map<Where, readonly string[]>();

  constructor(warn: (line: string) => void) {
    this.#warn = warn;
  }

  /** Replaces what was noted there before, but of a gateway: there may be several, and the others are still there. */
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
/** Kinds that are remembered; beyond that, `debug` may be warned again of the one that was warned of the longest ago. */
const MAX_KINDS = 1000;

/** @param kind lines of one kind count as the same. @default the line */
export type WarnOnce = (line: string, kind?: string) => void;

/**
 * Warns a product's `debug`, of each kind at most once a day.
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

/** Names that are no options. @param call what stands before the name, such as `gateway.` */
export function findUnknown(given: object, names: readonly string[], call = ""): readonly string[] {
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = names.find((known) => known.toLowerCase() === name.toLowerCase());
      const instead = meant === undefined ? `these are known: ${names.join(", ")}` : `write \`${meant}\``;
      return `${call}${name}: there is no such option; ${instead}.`;
    });
}

/** @param what such as `a number of hours`. Nothing is wrong with `undefined` */
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

/** @param what such as `a function`. Nothing is wrong with `undefined` */
export function findOtherType(
  name: string,
  value: unknown,
  type: "function" | "string" | "object",
  what: string,
): readonly string[] {
  return value === undefined || (typeof value === type && value !== null) ? [] : [`${name}: give ${what}.`];
}
