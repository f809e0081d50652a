/** What is wrong: the plan, or what a call was given. */
type Where = "plan" | "createTelemetry" | "keepAlive" | "gateway" | "inspector";

export const NO_EVENTS =
  "plan: it declares no event for the server; `track()` and the other calls have nothing to send.";

/** What a product gave wrongly, since it began: sentences that say what to write instead. Each is told when it is noted. */
export class Problems {
  readonly #tell: (line: string) => void;
  readonly #noted = new Map<Where, readonly string[]>();

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Replaces what was noted there before, but of a gateway: there may be several, and the others are still there. */
  note(where: Where, problems: readonly string[]): void {
    const before = where === "gateway" ? (this.#noted.get(where) ?? []) : [];
    this.#noted.set(where, [...new Set([...before, ...problems])]);
    for (const problem of problems) this.#tell(problem);
  }

  list(): readonly string[] {
    return [...this.#noted.values()].flat();
  }
}
