import { writeSync } from "node:fs";
import { machineClock } from "./clock.ts";
import { Core, randomFraction } from "./core.ts";
import { createFacade, createOffFacade } from "./facade.ts";
import type { GeneratedPlan } from "./generated-plan.ts";
import { readSettings, type TelemetryOptions } from "./settings.ts";
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
  if ("problems" in read) return createOffFacade(read.problems);
  try {
    const { settings } = read;
    return createFacade(new Core({ settings, clock: machineClock, random: randomFraction, print }));
  } catch {
    return createOffFacade(["options: give plain values, nothing that throws when it is read."]);
  }
}

/** Not through `process.stderr`: when its reader is gone, that ends the process. */
function print(line: string): void {
  try {
    writeSync(STDERR, `telemetry (log): ${line}\n`);
  } catch {
    // Nobody reads it.
  }
}
