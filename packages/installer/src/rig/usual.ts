/** For tests: defines what most scenarios have in common. */
import { NOTICE, receipt } from "./answers.ts";

/** The result of a run that shows the notice and asks, but gets no answer. */
export const usual = {
  stderr: NOTICE,
  receipts: ["installer notice 1", "server notice 1", "client no 1"],
  dockerEnv: "APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=false\n",
} as const;

export const START = `telemetry_notice
telemetry_ask
telemetry_track "Installation Started"`;

export const UBUNTU = { "os-release": 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n' };

export const TOLD = receipt("installer", "notice") + receipt("server", "notice");

/** The files that an earlier run left on a machine on which somebody answered the question with Yes. */
export const ANSWERED = {
  ...UBUNTU,
  "opt/telemetry/receipts.ndjson": TOLD + receipt("client", "yes"),
  "opt/docker.env": "APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=true\n",
};
export const kept = {
  receipts: ["installer notice 1", "server notice 1", "client yes 1"],
  dockerEnv: ANSWERED["opt/docker.env"],
};

export const started = { event: "Installation Started", properties: { os: "ubuntu" } };
export const failed = (error: string) => ({
  event: "Installation Errors",
  properties: { os: "ubuntu", error },
});
export const succeeded = { event: "Installation Success", properties: { os: "ubuntu" } };

/** A line of the outbox that an earlier run could not send. */
export const LEFT =
  '{"type":"track","event":"Installation Errors","anonymousId":"0123456789abcdef0123456789abcdef","messageId":"fedcba9876543210fedcba9876543210","timestamp":"2026-11-20T08:00:00Z","context":{"library":{"name":"candor-installer","version":"0.1.0"}},"integrations":{},"properties":{"os":"debian","error":"port_taken"},"writeKey":"key_\\"1\\""}\n';
export const LEFT_NAME = "opt/telemetry/outbox/installer-notice-20261120T080000Z-0011223344556677";
export const left = { event: "Installation Errors", properties: { os: "debian", error: "port_taken" } };

export const DENIED = { stderr: "", dockerEnv: "APPSMITH_DISABLE_TELEMETRY=true\n" } as const;
