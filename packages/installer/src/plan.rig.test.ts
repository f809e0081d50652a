// @module-tag posix-tools
import { NOTICE } from "./rig/answers.ts";
import { runScenarios, type Scenario } from "./rig/scenario.ts";
import {
  ANSWERED,
  DENIED,
  failed,
  kept,
  LEFT,
  LEFT_NAME,
  START,
  started,
  succeeded,
  UBUNTU,
  usual,
} from "./rig/usual.ts";

const INSTALL = "opt/telemetry/install.json";
const INSTANCE = "opt/telemetry/instance.json";
/** Prints how many messages in the outbox have the install's stored id as their anonymousId. */
const COUNT_LINKED = `id=$(sed -n 's/^{"installId":"\\([0-9a-f]*\\)","createdAt":"20[0-9T:Z-]*"}$/\\1/p' ${INSTALL})
grep -l '"anonymousId":"'"$id"'"' opt/telemetry/outbox/*.ndjson | grep -c .`;

const told = { stderr: NOTICE, receipts: usual.receipts.slice(0, 2), dockerEnv: "" };

/**
 * Scenarios for what depends on the plan's declarations: the context, the kinds of errors, and the link to
 * the instance.
 */
const scenarios: readonly Scenario[] = [
  {
    name: "context that the plan does not declare is not sent",
    table: "bare",
    script: `telemetry_notice\ntelemetry_success`,
    files: UBUNTU,
    expect: { ...told, sent: [succeeded], context: "none" },
  },
  {
    name: "only the declared parts of the context are sent",
    table: "named",
    script: `telemetry_notice\ntelemetry_success`,
    files: UBUNTU,
    expect: {
      ...told,
      sent: [succeeded],
      context: { library: { name: "candor-installer" } },
    },
  },
  ...(
    [
      ["unknown only", "disk_full", { error: "unknown" }],
      ["other only", "disk_full", { error: "other" }],
      ["other only", "", { error: "other" }],
      ["neither kind", "disk_full", {}],
      ["neither kind", "port_taken", { error: "port_taken" }],
      ["first", "/opt/appsmith exists", { error: "unknown" }],
    ] as const
  ).map(([table, kind, error]) => ({
    name: `a failure is not lost for its kind: ${JSON.stringify(kind)}, where the plan takes ${table}`,
    table,
    script: `telemetry_notice\ntelemetry_error "${kind}"`,
    files: UBUNTU,
    expect: { ...told, sent: [{ event: "Installation Errors", properties: { os: "ubuntu", ...error } }] },
  })),
  ...(
    [
      ["unknown only", "exit 3", 3, "unknown"],
      ["unknown only", "kill -INT $$", "SIGINT", "unknown"],
      ["other only", "exit 3", 3, "other"],
      ["other only", "kill -INT $$", "SIGINT", "other"],
    ] as const
  ).map(([table, end, status, error]) => ({
    name: `what the trap tells is not lost for its kind: ${end}, where the plan takes ${table}`,
    table,
    script: `telemetry_install_trap\ntelemetry_notice\n${end}`,
    files: UBUNTU,
    expect: { ...told, status, sent: [failed(error)] },
  })),
  {
    name: "an error takes properties, and the trap adds no second error",
    table: "odd errors",
    script: `telemetry_install_trap\ntelemetry_notice\ntelemetry_error port_taken port=443 user=ada\nexit 3`,
    files: UBUNTU,
    expect: {
      ...told,
      status: 3,
      sent: [{ event: "Installation Errors", properties: { os: "ubuntu", error: "port_taken", port: 443 } }],
    },
  },
  {
    name: "an error with properties that a subshell reports is not reported again",
    table: "odd errors",
    script: `telemetry_install_trap\ntelemetry_notice\n(telemetry_error port_taken port=80; exit 4) || exit 4`,
    files: UBUNTU,
    expect: {
      ...told,
      status: 4,
      sent: [{ event: "Installation Errors", properties: { os: "ubuntu", error: "port_taken", port: 80 } }],
    },
  },
  {
    name: "the install's id is kept for the first heartbeat if the plan declares it",
    table: "linked",
    script: `${START}\n${COUNT_LINKED}\ntelemetry_success\n${COUNT_LINKED}`,
    files: UBUNTU,
    expect: { ...usual, stdout: "1\n2\n", sent: [started, succeeded], identities: 1 },
  },
  {
    name: "the kept id is that of the last attempt, and no link is written through",
    table: "linked",
    script: `ln -s "$here/host" ${INSTALL}\n${START}\n${COUNT_LINKED}`,
    files: { ...UBUNTU, host: "host\n", "opt/telemetry/x": "" },
    expect: { ...usual, stdout: "1\n", sent: [started], others: { host: "host\n" } },
  },
  {
    name: "the install's id is not kept if the plan does not declare it",
    script: START,
    files: ANSWERED,
    expect: { ...kept, sent: [started], others: { [INSTALL]: undefined } },
  },
  {
    name: "the install's id is not kept if there already is an instance",
    table: "linked",
    script: START,
    files: { ...UBUNTU, [INSTANCE]: "{}\n" },
    expect: { ...usual, sent: [started], others: { [INSTALL]: undefined, [INSTANCE]: "{}\n" } },
  },
  {
    name: "a refusal deletes the kept id",
    table: "linked",
    script: START,
    environment: { DO_NOT_TRACK: "1" },
    files: { ...UBUNTU, [INSTALL]: "{}\n", [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { ...DENIED, others: { [INSTALL]: undefined } },
  },
  {
    name: "an unknown value in docker.env denies, but deletes nothing",
    table: "linked",
    script: START,
    files: {
      ...ANSWERED,
      [INSTALL]: "{}\n",
      [`${LEFT_NAME}.ndjson`]: LEFT,
      "opt/docker.env": "DO_NOT_TRACK=$OTHER\n",
    },
    expect: {
      ...kept,
      dockerEnv: "DO_NOT_TRACK=$OTHER\n",
      waiting: ["Installation Errors"],
      others: { [INSTALL]: "{}\n" },
    },
  },
  {
    name: "missing consent denies, but deletes nothing",
    script: `telemetry_track "Installation Started"`,
    files: { ...UBUNTU, [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { waiting: ["Installation Errors"] },
  },
  ...[
    { GITHUB_ACTIONS: "true" },
    { TF_BUILD: "True" },
    { TEAMCITY_VERSION: "2025.11" },
    { JENKINS_URL: "https://ci.example.com/" },
    { CODEBUILD_BUILD_ID: "acme:1" },
  ].map((environment) => ({
    name: `a CI system is known by more than CI: ${JSON.stringify(environment)}`,
    script: START,
    files: UBUNTU,
    environment,
    expect: { stderr: "", receipts: ["client no 1"], dockerEnv: usual.dockerEnv },
  })),
  {
    name: "CI=false means no CI system",
    script: START,
    files: ANSWERED,
    environment: { CI: "false", GITHUB_ACTIONS: "true" },
    expect: { ...kept, sent: [started] },
  },
];

runScenarios(scenarios);
