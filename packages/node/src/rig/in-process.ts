/** For tests: opens telemetry in this process. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashPlan, loadPlan } from "@candor/plan";
import { onTestFinished } from "vitest";
import { type Clock, machineClock } from "../clock.ts";
import { Core } from "../core.ts";
import { createFacade } from "../create-telemetry.ts";
import type { GeneratedPlan } from "../generated-plan.ts";
import { readSettings, type Settings, type TelemetryOptions } from "../settings.ts";
import type { Telemetry } from "../telemetry.ts";

const PLAN_FILE = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));
const appsmith = loadPlan(readFileSync(PLAN_FILE, "utf8"), PLAN_FILE);

/**
 * The reference plan, as `candor generate` exports it, but with a rate limit of a million per minute for each
 * event.
 */
export const APPSMITH: GeneratedPlan = {
  hash: hashPlan(appsmith),
  content: JSON.parse(JSON.stringify({ ...appsmith, events: appsmith.events.map(unlimited) })),
};

function unlimited<Event>(event: Event): Event {
  return { ...event, maxPerMinute: 1_000_000 };
}

/**
 * The product's off switch, offered to the operator and not used. Under the notice rule, that counts as
 * consent.
 */
export const SWITCH_OFFERED = { APPSMITH_DISABLE_TELEMETRY: "false" };

export interface World {
  readonly core: Core;
  readonly telemetry: Telemetry;
  /** The state folder. */
  readonly dir: string;
  readonly printed: readonly string[];
  readonly told: readonly string[];
  /** All messages in the outbox, file by file. */
  readonly messages: () => readonly OutboxMessage[];
  /** The names of all files and folders in the state folder. */
  readonly files: () => readonly string[];
}

export interface OutboxMessage {
  readonly [key: string]: unknown;
  readonly properties?: { readonly [key: string]: unknown };
}

export interface WorldOptions extends Partial<TelemetryOptions> {
  readonly clock?: Clock;
  readonly policyFile?: string;
  readonly random?: () => number;
  /** Prepares the state folder before telemetry is opened. @param dir the folder */
  readonly before?: (dir: string) => void;
}

/** Creates a folder for one test, which is deleted after the test. */
export function makeFolderForTest(): string {
  const dir = mkdtempSync(join(tmpdir(), "candor-node-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Opens telemetry in this process, and closes it after the test. Unless `host` is given, nothing listens at
 * the collector's address.
 */
export function openForTest(options: WorldOptions = {}): World {
  const { clock = machineClock, policyFile, random = () => 0.5, before, ...given } = options;
  const dir = given.stateDir ?? join(makeFolderForTest(), "telemetry");
  before?.(dir);
  const told: string[] = [];
  const printed: string[] = [];
  const settings: Settings = {
    ...settingsOf({
      plan: APPSMITH,
      source: "server",
      writeKey: "server_key",
      host: "http://127.0.0.1:9",
      environment: SWITCH_OFFERED,
      debug: (line) => told.push(line),
      ...given,
      stateDir: dir,
    }),
    policyFile: policyFile ?? join(dir, "no-policy"),
  };
  const core = new Core({
    settings,
    clock,
    random,
    print: (line) => printed.push(line),
  });
  onTestFinished(() => core.close());
  return {
    core,
    telemetry: createFacade(core),
    dir,
    printed,
    told,
    messages: () => readMessages(join(dir, "outbox")),
    files: () => listFiles(dir),
  };
}

function settingsOf(options: TelemetryOptions): Settings {
  const read = readSettings(options);
  if ("problems" in read) throw new Error(read.problems.join(" "));
  return read.settings;
}

function readMessages(outbox: string): readonly OutboxMessage[] {
  return listFiles(outbox)
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => readFileSync(join(outbox, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as OutboxMessage);
}

function listFiles(dir: string): readonly string[] {
  return existsSync(dir) ? readdirSync(dir).sort() : [];
}
