/** Opens the SDKs, each as `measure.ts` describes. A process imports only the SDK that it runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { UsageEvent } from "../usage-event.ts";
import type { Place, Subject } from "./task.ts";
import { CANDOR_FOLDER } from "./workplace.ts";

const WRITE_KEY = "bench-server-key";

export type Product = { track(event: UsageEvent): void };

const openers: Readonly<Record<Subject, (place: Place) => Promise<Product>>> = {
  none: async () => ({ track: () => {} }),
  candor: openCandor,
  segment: openSegment,
  posthog: openPosthog,
  rudder: openRudder,
};

export function openProduct(subject: Subject, place: Place): Promise<Product> {
  return openers[subject](place);
}

async function openCandor({ host, stateDir, planFile }: Place): Promise<Product> {
  const entry = pathToFileURL(join(CANDOR_FOLDER, "dist/index.js")).href;
  const { createTelemetry }: typeof import("@candor/node") = await import(entry);
  const plan = JSON.parse(readFileSync(planFile, "utf8"));
  const telemetry = createTelemetry({ plan, source: "server", writeKey: WRITE_KEY, host, stateDir });
  const { state, reason, problems } = telemetry.status();
  if (state !== "on") throw new Error(`Candor is ${state}: ${reason} ${problems.join(" ")}`);
  return {
    track: ({ event, properties, userId }) => telemetry.track(event, properties, { userId }),
  };
}

async function openSegment({ host }: Place): Promise<Product> {
  const { Analytics } = await import("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: WRITE_KEY, host });
  return { track: ({ event, properties, userId }) => analytics.track({ event, properties, userId }) };
}

async function openPosthog({ host }: Place): Promise<Product> {
  const { PostHog } = await import("posthog-node");
  const posthog = new PostHog(WRITE_KEY, { host });
  return {
    track: ({ event, properties, userId }) => posthog.capture({ event, properties, distinctId: userId }),
  };
}

async function openRudder({ host }: Place): Promise<Product> {
  const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
  // Without a handler, a failed request is an unhandled rejection, which ends the process.
  const analytics = new Analytics(WRITE_KEY, { dataPlaneUrl: host, errorHandler: () => {} });
  return { track: ({ event, properties, userId }) => void analytics.track({ event, properties, userId }) };
}
