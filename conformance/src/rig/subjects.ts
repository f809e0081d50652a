/** For tests: the official clients under test. */
import { createRequire } from "node:module";
import type { ClientOptions, OfficialClient } from "../official-client.ts";
import { openRudderClient } from "../rudder-client.ts";
import { openSegmentClient } from "../segment-client.ts";

/** An official client, and the `context.library` that the client sends. */
export interface Subject {
  readonly name: string;
  readonly open: (options: ClientOptions) => OfficialClient;
  readonly library: { readonly name: string; readonly version: string };
}

export const segment: Subject = {
  name: "@segment/analytics-node",
  open: openSegmentClient,
  library: { name: "@segment/analytics-node", version: versionOf("@segment/analytics-node") },
};

export const rudder: Subject = {
  name: "@rudderstack/rudder-sdk-node",
  open: openRudderClient,
  library: { name: "analytics-node", version: versionOf("@rudderstack/rudder-sdk-node") }, // the sent name
};

function versionOf(packageName: string): string {
  return createRequire(import.meta.url)(`${packageName}/package.json`).version;
}
