/** Defines and checks the options of `createTelemetry`, and reads the environment. */
import { isAbsolute, resolve } from "node:path";
import { isPromise } from "node:util/types";
import { isText } from "@candor/envelope/unknown-value";
import type { Plan } from "@candor/plan/runtime";
import { type GeneratedPlan, readPlan } from "./generated-plan.ts";
import { findNoNumber, findOtherType, findUnknown } from "./problems.ts";

const SEND_EVERY_MS = 10_000;
const MAX_OUTBOX_BYTES = 50 * 1024 * 1024;
const LEAST_OUTBOX_BYTES = 1024 * 1024;
export const POLICY_FILE = "/etc/candor/policy";

type Environment = Readonly<Record<string, string | undefined>>;
export type Common = Readonly<Record<string, string | number | boolean | undefined>>;

/** The options of `createTelemetry`. */
export interface TelemetryOptions<P extends GeneratedPlan = GeneratedPlan> {
  /** The `plan` exported by the module that `candor generate ts`, `js` or `cjs` writes. */
  readonly plan: P;
  readonly source: "server";
  /** The collector's write key of the source `server`. */
  readonly writeKey: string;
  /** The collector's URL, such as `https://telemetry.example.org`. */
  readonly host: string;
  /**
   * The state folder, in the product's data volume: see docs/state-folder.md. Several replicas may share it.
   */
  readonly stateDir: string;
  /** Another name by which a policy may refer to the product. @default only the plan's name */
  readonly product?: string | undefined;
  /** How long messages are gathered before they are sent, in milliseconds, at least 0. @default 10000 */
  readonly sendEveryMs?: number | undefined;
  /**
   * The largest size of the outbox in bytes, at least 1 MiB. Beyond this size, the oldest files are deleted,
   * those already delivered first.
   * @default 52428800
   */
  readonly maxOutboxBytes?: number | undefined;
  /**
   * Called with a sentence about a problem with what the product passed, with the state folder, or with the
   * collector. Each problem is reported at most once a day. All attempts that failed because the collector is
   * away are one problem, and so are all that it refused, for example because of a wrong write key. The
   * sentence never contains what was tracked.
   * @default none
   */
  readonly debug?: ((line: string) => void) | undefined;
  /**
   * Properties that every event gets, a browser's too, if the plan declares them and the event does not have
   * them yet, such as the product's version. A function is called for each event. `environment` among them
   * says where the product runs: production, development, test or ci.
   * @default only `environment`: ci according to a CI system's variables, else `NODE_ENV`
   */
  readonly common?: Common | (() => Common) | undefined;
  /**
   * The product's own setting for telemetry, if it has one. `false`: the operator turned telemetry off there,
   * which is a No to the server and the client: waiting messages and the instance's id are deleted.
   * `undefined`: not known yet, for example before the product's settings are loaded; nothing is recorded,
   * sent or deleted. `true`: no objection; all other rules still apply. The function is called often, so it
   * must be fast. If it throws or returns a promise, that counts as `undefined`.
   * @default the product has no such setting
   */
  readonly allowed?: (() => boolean | undefined) | undefined;
  /**
   * A secret of at least 32 random characters, which the product generated once and keeps in its own
   * database. The instance's id, its signing key and its hashes are derived from it, so that every container
   * with this database is the same instance, without a volume for the state folder. Anybody who knows the
   * secret can act as the instance: never use a licence key or anything that others know. A copy of the
   * database is the same instance as the original. To count the copy separately, give it a secret of its own.
   * @default the id is random, and kept only in the state folder
   */
  readonly instanceKey?: string | undefined;
  /**
   * The environment from which the switches are read, again each time. Proxies always come from
   * `process.env`.
   * @default process.env
   */
  readonly environment?: Environment | undefined;
}

const NAMES = Object.keys({
  plan: true,
  source: true,
  writeKey: true,
  host: true,
  stateDir: true,
  product: true,
  sendEveryMs: true,
  maxOutboxBytes: true,
  debug: true,
  common: true,
  allowed: true,
  instanceKey: true,
  environment: true,
} satisfies { readonly [Name in keyof TelemetryOptions]-?: true });

/** The checked options. */
export interface Settings {
  readonly plan: Plan;
  readonly planHash: string;
  /** The product's name in the plan, and the name that was passed, if any. */
  readonly products: readonly string[];
  readonly writeKey: string;
  readonly host: URL;
  readonly stateDir: string;
  readonly sendEveryMs: number;
  readonly maxOutboxBytes: number;
  readonly debug: (line: string) => void;
  /** The properties that the product passed for all events; may throw. */
  readonly common: () => object | undefined;
  /** The product's own setting: undefined if it has none, null while it is not known. Never throws. */
  readonly allowed: () => boolean | null | undefined;
  readonly instanceKey: string | undefined;
  readonly environment: () => Environment;
  /**
   * The process's own environment, for proxies. The option `environment` concerns only the product's
   * switches.
   */
  readonly machineEnvironment: () => Environment;
  readonly policyFile: string;
  /** The problems with the options that do not turn telemetry off. */
  readonly problems: readonly string[];
}

/**
 * Returns the settings, or everything that is wrong with the options, as sentences that say what to write
 * instead. Never throws.
 */
export function readSettings(options: TelemetryOptions): ReadSettings {
  try {
    return readOptions(options);
  } catch {
    return { problems: [`options: ${UNREADABLE}`], debug: () => {} };
  }
}

/** The end of a sentence that begins with the name of the unreadable value. */
export const UNREADABLE = "give plain values, nothing that throws when it is read.";

type ReadSettings =
  | { readonly settings: Settings }
  | { readonly problems: readonly string[]; readonly debug: Settings["debug"] };

type Given = Partial<Record<keyof TelemetryOptions, unknown>>;

function readOptions(options: TelemetryOptions): ReadSettings {
  const given: Given = isAnyObject(options) ? options : {};
  const { source, writeKey, stateDir, environment, instanceKey } = given;
  const problems: string[] = [];
  const plan = readPlan(given.plan);
  const host = toHost(given.host);
  const debug = callQuietly(given.debug);
  if (plan === undefined) problems.push("plan: give the `plan` that `candor generate ts` or `js` exports.");
  if (source !== "server") problems.push('source: write "server".');
  if (!isText(writeKey)) problems.push("writeKey: give the server's write key; `candor keys` prints it.");
  if (host === undefined)
    problems.push("host: give the collector's URL, such as https://telemetry.example.org.");
  if (!isText(stateDir)) problems.push("stateDir: give a folder of the product's data volume.");
  // An invalid key is not replaced by a random id: such an id would change with each container, and one
  // instance would be counted many times.
  if (instanceKey !== undefined && !isInstanceKey(instanceKey))
    problems.push("instanceKey: give a secret text of at least 32 random characters.");
  const lesser = findLesser(given);
  const isUsable = problems.length === 0;
  if (!isUsable || plan === undefined || host === undefined || !isText(writeKey) || !isText(stateDir))
    return { problems: [...problems, ...lesser], debug };
  return {
    settings: {
      plan: plan.content,
      planHash: plan.hash,
      products: [...new Set([plan.content.product, ...(isText(given.product) ? [given.product] : [])])],
      writeKey,
      host,
      stateDir: isAbsolute(stateDir) ? stateDir : resolve(stateDir),
      sendEveryMs: toNumber(given.sendEveryMs, SEND_EVERY_MS, 0),
      maxOutboxBytes: toNumber(given.maxOutboxBytes, MAX_OUTBOX_BYTES, LEAST_OUTBOX_BYTES),
      debug,
      common: toCommon(given.common),
      allowed: toAllowed(given.allowed),
      instanceKey: isInstanceKey(instanceKey) ? instanceKey : undefined,
      // Read each time: a product may load its env file after the SDK.
      environment: isAnyObject(environment) ? () => toTexts(environment) : readEnvironment,
      machineEnvironment: readEnvironment,
      policyFile: POLICY_FILE,
      problems: lesser,
    },
  };
}

/**
 * Finds problems that leave the options usable: unknown options, and invalid ones that are replaced by their
 * defaults or the nearest valid value.
 */
function findLesser(given: Given): readonly string[] {
  const { product, sendEveryMs, maxOutboxBytes, debug, common, environment, allowed } = given;
  return [
    ...findOtherType("product", product, "string", "a name as text"),
    ...findNoNumber("sendEveryMs", sendEveryMs, "a number of milliseconds", 0),
    ...findNoNumber("maxOutboxBytes", maxOutboxBytes, "a number of bytes", LEAST_OUTBOX_BYTES),
    ...findOtherType("debug", debug, "function", "a function"),
    ...(typeof common === "function"
      ? []
      : findOtherType("common", common, "object", "an object of properties, or a function that returns one")),
    ...findOtherType("allowed", allowed, "function", "a function that returns true, false or undefined"),
    ...findOtherType("environment", environment, "object", "an object such as process.env"),
    ...findUnknown(given, NAMES),
  ];
}

/**
 * Returns a function that calls the product's `debug`, and ignores whatever that throws or rejects with. Does
 * nothing if `tell` is not a function.
 */
function callQuietly(tell: unknown): (line: string) => void {
  return (line) => {
    if (typeof tell !== "function") return;
    try {
      void Promise.resolve(tell(line)).catch(() => {});
    } catch {
      // There is nobody to report the error to.
    }
  };
}

/** Anything but a boolean counts as unknown: a setting that cannot be read must not turn telemetry on. */
function toAllowed(allowed: unknown): Settings["allowed"] {
  if (allowed === undefined) return () => undefined;
  return () => {
    try {
      const answer: unknown = typeof allowed === "function" ? allowed() : null;
      if (isPromise(answer)) answer.catch(() => {}); // its rejection must not end the process
      return typeof answer === "boolean" ? answer : null;
    } catch {
      return null;
    }
  };
}

/**
 * Requires eight different characters, because random text of 32 characters practically always has at least
 * as many. Text such as `"x".repeat(32)` or a padded word does not.
 */
function isInstanceKey(value: unknown): value is string {
  return typeof value === "string" && value.length >= 32 && new Set(value).size >= 8;
}

function toCommon(common: unknown): Settings["common"] {
  return () => {
    const given: unknown = typeof common === "function" ? common() : common;
    return isAnyObject(given) ? given : undefined;
  };
}

/**
 * Does not use `env` of node:process, which stays the old object if a product or a test runner replaces
 * `process.env`.
 */
function readEnvironment(): Environment {
  const { env } = process;
  return env;
}

/** Converts all values to text, so that `{ DO_NOT_TRACK: true }` has the intended effect. */
function toTexts(environment: object): Environment {
  const entries = Object.entries(environment).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function toHost(host: unknown): URL | undefined {
  if (!isText(host) || !URL.canParse(host)) return undefined;
  const url = new URL(host);
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
}

function toNumber(value: unknown, usual: number, least: number): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(value, least) : usual;
}

function isAnyObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
