// @module-tag posix-tools
import { NOTICE } from "./rig/answers.ts";
import { runScenarios, type Scenario } from "./rig/scenario.ts";
import { ANSWERED, kept, LEFT, LEFT_NAME, left, START, started, TOLD, UBUNTU, usual } from "./rig/usual.ts";

/** Links that a container may have put into the folder that it shares with the host. */
const scenarios: readonly Scenario[] = [
  {
    name: "a link in place of the progress file is not followed",
    script: `ln -s "$here/host" "$here/${LEFT_NAME}.sent.tmp"\n${START}`,
    files: { ...ANSWERED, host: "host\n", [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { ...kept, sent: [{ ...left, again: true }, started], others: { host: "host\n" } },
  },
  {
    name: "a link in place of a message file is not sent",
    script: `ln -s "$here/host" "$here/${LEFT_NAME}.ndjson"\n${START}`,
    files: { ...ANSWERED, host: LEFT, [`${LEFT_NAME}.sent`]: "0\n" },
    expect: {
      ...kept,
      sent: [started],
      waiting: ["Installation Errors"],
      others: { host: LEFT, [`${LEFT_NAME}.sent`]: "0\n" },
    },
  },
  {
    name: "a link in place of the progress file is not read, and the messages stay",
    script: `ln -s "$here/host" "$here/${LEFT_NAME}.sent"\n${START}`,
    files: { ...ANSWERED, host: "0\n", [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { ...kept, sent: [started], waiting: ["Installation Errors"], others: { host: "0\n" } },
  },
  {
    name: "a link in place of the outbox turns telemetry off",
    script: `ln -s "$here/host" "$here/opt/telemetry/outbox"\n${START}`,
    files: { ...ANSWERED, "host/installer-1.ndjson": LEFT },
    expect: { ...kept, waiting: ["Installation Errors"], others: { "host/installer-1.ndjson": LEFT } },
  },
  {
    name: "a link in place of the answers turns telemetry off, and is not written through",
    script: `ln -s "$here/host" "$here/opt/telemetry/receipts.ndjson"\n${START}`,
    files: { ...UBUNTU, host: TOLD, "opt/telemetry/x": "" },
    expect: { receipts: usual.receipts.slice(0, 2), others: { host: TOLD } },
  },
  {
    name: "a link in place of the state folder is not used",
    script: `ln -s "$here/host" "$here/opt/telemetry"\n${START}`,
    files: { ...UBUNTU, "host/x": "" },
    expect: { stderr: NOTICE, dockerEnv: usual.dockerEnv, others: { "host/receipts.ndjson": undefined } },
  },
];

runScenarios(scenarios);
