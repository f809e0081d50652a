/**
 * The entry `@candor/node/testing`: runs a product and fails if it does anything that the test does not
 * allow.
 */
import { AssertionError } from "node:assert";
import { isAbsolute, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HappeningKind, type Watch, watchEverything } from "./watch.ts";

export type { HappeningKind };

export interface SilenceOptions {
  /** Variables that are set on `process.env` during the run. @default { DO_NOT_TRACK: "1" } */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /**
   * What to allow, because the product does it even without telemetry: `127.0.0.1:5432`; `db.internal` (the
   * lookup of the name, and connections to its addresses); `db.internal:5432`; the path of a file or folder;
   * or the target of anything else as an error shows it.
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * How many milliseconds to keep watching after the function has returned, for work in the background.
   * @default 200
   */
  readonly settleMs?: number | undefined;
}

export interface Happening {
  readonly kind: HappeningKind;
  /**
   * What was contacted, changed or started: `127.0.0.1:443`, `telemetry.example.org`,
   * `/data/outbox/x.ndjson`, `git`.
   */
  readonly target: string;
  /**
   * The line of the product's code that caused it, `/app/src/telemetry.js:12:3`; undefined if the stack
   * contains only Node's own lines.
   */
  readonly at: string | undefined;
}

/** Fails a test in which telemetry was not silent. */
export class SilenceError extends AssertionError {
  /** Each thing that happened, once, in the order of first occurrence. */
  readonly happenings: readonly Happening[];

  constructor(happenings: readonly Happening[], cause: unknown) {
    super({ message: describe(happenings), operator: "assertSilent" });
    this.name = "SilenceError";
    this.happenings = happenings;
    if (cause !== undefined) this.cause = cause;
  }
}

const SETTLE_MS = 200;

let isWatching = false;

/**
 * For tests of a product: runs it with telemetry turned off, and fails when anything in this process
 * connects, looks up a name other than `localhost`, sends a datagram, starts a child process or a thread, or
 * creates, changes or deletes a file. Listening and reading are allowed. The whole process is watched, so
 * nothing else may run at the same time. Two things are not seen: connections and file handles that were
 * already open, and functions that a CommonJS module took from node:fs beforehand
 * (`const { open } = require("fs")`). To have these seen, start the product inside the function.
 * @returns what the function returns
 * @throws SilenceError with a list of what happened; what the function throws; an Error while another call is
 * running
 * @example
 * await assertSilent(() => startProduct(), { allow: ["127.0.0.1:5432", "/tmp/product-test"] });
 */
export async function assertSilent<Value>(
  run: () => Value | PromiseLike<Value>,
  options: SilenceOptions = {},
): Promise<Value> {
  if (isWatching)
    throw new Error(
      "assertSilent watches the whole process: await the one that is running, then call it again.",
    );
  isWatching = true;
  const { environment = { DO_NOT_TRACK: "1" }, allow = [], settleMs = SETTLE_MS } = options;
  const happenings: Happening[] = [];
  const undo = [setVariables(environment), watchEverything(noting(happenings, allow))];
  const outcome = await settle(run);
  await sleep(settleMs);
  for (const each of undo) each();
  isWatching = false;
  if (happenings.length > 0)
    throw new SilenceError(happenings, "error" in outcome ? outcome.error : undefined);
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** Creates a watch that adds each thing that happens to a list once, unless it is allowed. */
function noting(happenings: Happening[], allow: readonly string[]): Watch {
  const { allows, resolved } = createAllowance(allow);
  return {
    onResolved: resolved,
    report: (kind, target, at) => {
      const isKnown = happenings.some((known) => known.kind === kind && known.target === target);
      if (!isKnown && !allows(kind, target)) happenings.push({ kind, target, at: at() });
    },
  };
}

type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

async function settle<Value>(run: () => Value | PromiseLike<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}

/**
 * Sets environment variables of the process.
 * @returns a function that restores them, even if `process.env` has been replaced by another object
 */
function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const { env } = process;
  const before = Object.keys(variables).map((name) => [name, env[name]] as const);
  Object.assign(env, variables);
  return () => {
    const { env: now } = process;
    for (const environment of new Set([env, now])) {
      for (const [name, value] of before) {
        if (value === undefined) delete environment[name];
        else environment[name] = value;
      }
    }
  };
}

function describe(happenings: readonly Happening[]): string {
  const lines = happenings.map(
    ({ kind, target, at }) => `  ${kind} ${target}${at === undefined ? "" : `\n    at ${at}`}`,
  );
  return [`It was not silent. What happened (${happenings.length}):`, ...lines].join("\n");
}

/** What a test allows. */
interface Allowance {
  readonly allows: (kind: HappeningKind, target: string) => boolean;
  /**
   * Records the addresses that a name resolved to, so that connecting to an allowed name's addresses is
   * allowed too.
   */
  readonly resolved: (name: string, addresses: readonly string[]) => void;
}

/** Parses the entries of `SilenceOptions.allow`. */
function createAllowance(entries: readonly string[]): Allowance {
  const paths = entries.filter((entry) => isAbsolute(entry));
  const places = entries.filter((entry) => !isAbsolute(entry)).map(toPlace);
  const namesOf = new Map<string, Set<string>>();
  const mayReach = (target: string): boolean => {
    const { host, port } = toPlace(target);
    const names = [host, ...(namesOf.get(host) ?? [])];
    return places.some(
      (place) => names.includes(place.host) && (place.port === undefined || place.port === port),
    );
  };
  return {
    allows: (kind, target) => {
      if (entries.includes(target)) return true;
      if (isAbsolute(target)) return paths.some((path) => isWithin(target, path));
      if (kind === "dns") return places.some(({ host }) => host === toHost(target));
      return (kind === "connect" || kind === "udp") && mayReach(target);
    },
    resolved: (name, addresses) => {
      for (const address of addresses) {
        const names = namesOf.get(address) ?? new Set();
        namesOf.set(address, names.add(toHost(name)));
      }
    },
  };
}

interface Place {
  readonly host: string;
  /** Undefined if any port is allowed. */
  readonly port: string | undefined;
}

/** Parses a host with an optional port. A bare IPv6 address has several colons and no port. */
function toPlace(text: string): Place {
  const [, bracketed, bare, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return { host: toHost(bracketed ?? bare ?? text), port };
}

function toHost(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function isWithin(path: string, prefix: string): boolean {
  const folder = prefix.endsWith(sep) ? prefix : `${prefix}${sep}`;
  return path === prefix || path.startsWith(folder);
}
