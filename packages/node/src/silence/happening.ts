import { AssertionError } from "node:assert";

/**
 * What a silent product does not do. `connect`: TCP, also under TLS and HTTP; `pipe`: a unix socket or named pipe; `udp`: a
 * datagram; `dns`: a name or address looked up; `write`: a file or folder made or changed; `delete`; `process`: a child
 * process; `thread`: a worker thread, which cannot be looked into.
 */
export type HappeningKind = "connect" | "pipe" | "udp" | "dns" | "write" | "delete" | "process" | "thread";

export interface Happening {
  readonly kind: HappeningKind;
  /** `127.0.0.1:443`, `telemetry.example.org`, `/data/outbox/x.ndjson`, `git`. */
  readonly target: string;
  /** The line of the product that did it, `/app/src/telemetry.js:12:3`; undefined where only Node's own are left. */
  readonly at: string | undefined;
}

/** Told of each thing that happens. @param at finds the line that did it */
export type Report = (kind: HappeningKind, target: string, at: () => string | undefined) => void;

/** What makes a test fail: something happened although nothing may. */
export class SilenceError extends AssertionError {
  /** Each once, in the order of the first time. */
  readonly happenings: readonly Happening[];

  constructor(happenings: readonly Happening[], cause: unknown) {
    super({ message: describe(happenings), operator: "assertSilent" });
    this.name = "SilenceError";
    this.happenings = happenings;
    if (cause !== undefined) this.cause = cause;
  }
}

function describe(happenings: readonly Happening[]): string {
  const lines = happenings.map(
    ({ kind, target, at }) => `  ${kind} ${target}${at === undefined ? "" : `\n    at ${at}`}`,
  );
  return [`It was not silent. What happened (${happenings.length}):`, ...lines].join("\n");
}
