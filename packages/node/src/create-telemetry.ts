import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { machineClock } from "./clock.ts";
import { Core } from "./core.ts";
import { createFacade, createOffFacade } from "./facade.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import { readSettings, type TelemetryOptions, UNREADABLE } from "./settings.ts";
import type { Telemetry } from "./telemetry.ts";

const STDERR = 2;

/**
 * Opens a product's telemetry. With options that cannot be used it is off, and `status().problems` says what to write.
 * @example
 * const telemetry = createTelemetry({ plan, source: "server", writeKey, host, stateDir: "/data/telemetry" });
 * telemetry.track("execute_ACTION_TRIGGERED", { pluginName: "PostgreSQL", isSuccessfulExecution: true });
 */
export function createTelemetry<P extends GeneratedPlan>(options: TelemetryOptions<P>): Telemetry<P> {
  const read = readSettings(options);
  if ("problems" in read) return createOff(read.problems, read.debug);
  const { settings } = read;
  try {
    return createFacade(new Core({ settings, clock: machineClock, random: randomFraction, print }));
  } catch {
    return createOff([`options: ${UNREADABLE}`], settings.debug);
  }
}

function createOff<P extends GeneratedPlan>(
  problems: readonly string[],
  debug: (line: string) => void,
): Telemetry<P> {
  for (const problem of problems) debug(problem);
  return createOffFacade(problems);
}

/** A random number from 0 to 1. */
function randomFraction(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32;
}

/** Not through `process.stderr`: when its reader is gone, that ends the process. */
function print(line: string): void {
  try {
    writeSync(STDERR, `telemetry (log): ${line}\n`);
  } catch {
    // Nobody reads it.
  }
}
