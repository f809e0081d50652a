/** The entry `@candor/node/testing`: runs a product in which nothing may happen except what a test allows. */
import { AssertionError } from "node:assert";
import { isAbsolute, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HappeningKind, type Watch, watchEverything } from "./watch.ts";

export type { HappeningKind };

export interface SilenceOptions {
  /** Set on `process.env` meanwhile. @default { DO_NOT_TRACK: "1" } */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /**
   * What the product does without telemetry: `127.0.0.1:5432`, `db.internal` (its lookup, and connections to what it
   * resolves to), `db.internal:5432`, a file's path or a folder's, or the target of anything else as an error shows it.
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * How long to go on watching after the function has returned, for work in the background, in milliseconds. @default
   * 200
   */
  readonly settleMs?: number | undefined;
}

export interface Happening {
  readonly kind: HappeningKind;
  /** `127.0.0.1:443`, `telemetry.example.org`, `/data/outbox/x.ndjson`, `git`. */
  readonly target: string;
  /**
   * The line of the product that did it, `/app/src/telemetry.js:12:3`; undefined if only Node's own lines are on the
   * stack.
   */
  readonly at: string | undefined;
}

/** Fails a test in which telemetry was not silent. */
export class SilenceError extends AssertionError {
  /** Each once, in the order of first occurrence. */
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
 * For tests of a product: runs it with telemetry turned off, and fails when anything of this process connects, looks up a
 * name, sends a datagram, starts a child process or a thread, or makes, changes or deletes a file. Listening and reading
 * are silent. It watches the whole process, so nothing else may run meanwhile. Not seen: connections and file handles
 * that were open before, and functions of node:fs that a CommonJS module has taken out of it before
 * (`const { open } = require("fs")`): start the product inside of the function.
 * @returns what the function returns
 * @throws SilenceError with a list of what happened; what the function throws; an Error while another one is running
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

/** Adds each thing once, except what is allowed. */
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
 * Sets variables of the process. @returns a function that restores them, even if `process.env` is another object by
 * then
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
  /** A name that may be looked up may be connected to. */
  readonly resolved: (name: string, addresses: readonly string[]) => void;
}

/**
 * @param entries `127.0.0.1:5432`, `[::1]:5432`, `db.internal`, `db.internal:5432`, the path of a file or folder, or
 * the target of anything else as an error shows it, such as `git`
 */
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
  /** Undefined for any port. */
  readonly port: string | undefined;
}

/** A bare IPv6 address has several colons, and no port. */
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
