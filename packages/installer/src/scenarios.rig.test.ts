import { readReceipts } from "@candor/consent";
import { describe, expect, it } from "vitest";
import { NOTICE, receipt } from "./rig/answers.ts";
import { type Installation, type Outcome, prepareInstallation, type Sender } from "./rig/installation.ts";
import { closedUrl, openRecorder, type Recorded } from "./rig/recorder.ts";
import { findProgram, findShells } from "./rig/shells.ts";
import { hashOf, type TableName } from "./rig/tables.ts";

/** One row: a machine, a script on it, and all that comes of it. What is left out is the usual; see `usual`. */
interface Scenario {
  readonly name: string;
  readonly script: string;
  readonly table?: TableName;
  readonly sender?: Sender;
  /** What the collector answers; `closed`: nobody listens. */
  readonly collector?: number | "closed" | "page";
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly expect: Expected;
}

/** What is left out is empty, or 0. */
interface Expected {
  readonly status?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** By name of the event; `again`: as a resend. */
  readonly sent?: readonly { event: string; properties: object; again?: boolean }[];
  /** What waits in the outbox. */
  readonly waiting?: readonly string[];
  /** Of receipts.ndjson: source, answer, plan version. Undefined: no such file. */
  readonly receipts?: readonly string[] | undefined;
  readonly dockerEnv?: string | undefined;
}

/** What a run leaves that shows the notice and asks without anybody to answer. */
const usual = {
  stderr: NOTICE,
  receipts: ["installer notice 1", "server notice 1", "client no 1"],
  dockerEnv: "APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=false\n",
} as const;

const START = `telemetry_notice
telemetry_ask
telemetry_track "Installation Started"`;

const UBUNTU = { "os-release": 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n' };

const TOLD = receipt("installer", "notice") + receipt("server", "notice");

/** An answered machine: what a run before left. */
const ANSWERED = {
  ...UBUNTU,
  "opt/telemetry/receipts.ndjson": TOLD + receipt("client", "yes"),
  "opt/docker.env": "APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=true\n",
};
const kept = {
  receipts: ["installer notice 1", "server notice 1", "client yes 1"],
  dockerEnv: ANSWERED["opt/docker.env"],
};

const started = { event: "Installation Started", properties: { os: "ubuntu" } };
const failed = (error: string) => ({ event: "Installation Errors", properties: { os: "ubuntu", error } });
const succeeded = { event: "Installation Success", properties: { os: "ubuntu" } };

/** A line of an outbox that another run could not send. */
const LEFT =
  '{"type":"track","event":"Installation Errors","anonymousId":"0123456789abcdef0123456789abcdef","messageId":"fedcba9876543210fedcba9876543210","timestamp":"2026-11-20T08:00:00Z","context":{"library":{"name":"candor-installer","version":"0.1.0"}},"integrations":{},"properties":{"os":"debian","error":"port_taken"},"writeKey":"key_\\"1\\""}\n';
const LEFT_NAME = "opt/telemetry/outbox/installer-20261120T080000Z-0011223344556677";
const left = { event: "Installation Errors", properties: { os: "debian", error: "port_taken" } };

const DENIED = { stderr: "", dockerEnv: "APPSMITH_DISABLE_TELEMETRY=true\n" } as const;

const scenarios: readonly Scenario[] = [
  {
    name: "an install that succeeds tells its start and its success",
    script: `${START}\necho installing\ntelemetry_success`,
    files: UBUNTU,
    expect: { ...usual, stdout: "installing\n", sent: [started, succeeded] },
  },
  {
    name: "an install tells why it fails, and keeps its exit status",
    script: `telemetry_install_trap\n${START}\ntelemetry_error port_taken\nexit 3`,
    files: UBUNTU,
    expect: { ...usual, status: 3, sent: [failed("port_taken"), started] },
  },
  {
    name: "a command that fails under set -e ends as an unknown error, after which the caller's own trap runs",
    script: `trap 'echo "caller: $? $1"; rm -f "$here/nothing"' EXIT\ntelemetry_install_trap\n${START}\nset -- first\nfalse\necho unreached`,
    files: UBUNTU,
    expect: { ...usual, status: 1, stdout: "caller: 1 first\n", sent: [failed("unknown"), started] },
  },
  {
    name: "the caller's trap may be odd, may fail, and may change the exit status",
    script: `trap 'echo "it'"'"'s
two lines and \\" $?"; exit 7' EXIT\ntelemetry_install_trap\n${START}\nexit 4`,
    files: UBUNTU,
    expect: { ...usual, status: 7, stdout: "it's\ntwo lines and \" 4\n", sent: [failed("unknown"), started] },
  },
  {
    name: "a success is not followed by an error, whatever the exit status",
    script: `trap 'echo "caller: $?"' EXIT\ntelemetry_install_trap\n${START}\ntelemetry_success\nexit 2`,
    files: UBUNTU,
    expect: { ...usual, status: 2, stdout: "caller: 2\n", sent: [started, succeeded] },
  },
  {
    name: "an exit with status 0 is no error",
    script: `telemetry_install_trap\n${START}\nexit 0`,
    files: UBUNTU,
    expect: { ...usual, sent: [started] },
  },
  {
    name: "an install that is stopped by a signal tells that, and ends by it",
    script: `telemetry_install_trap\n${START}\nkill -TERM $$\necho unreached`,
    files: UBUNTU,
    expect: { ...usual, status: "SIGTERM", sent: [failed("interrupted"), started] },
  },
  {
    name: "the caller's own signal traps stay",
    script: `trap 'echo term; exit 9' TERM\ntrap '' HUP\ntelemetry_install_trap\n${START}\nkill -HUP $$\nkill -TERM $$`,
    files: UBUNTU,
    expect: { ...usual, status: 9, stdout: "term\n", sent: [failed("unknown"), started] },
  },
  {
    name: "values stay values: quotes, backslashes, broken UTF-8 and 1 kB of quotes",
    table: "odd",
    script: `telemetry_notice
quotes=$(printf '%01024d' 0 | tr 0 '"')
telemetry_track "Installation Started" note='a"b\\c $(echo x) \`id\` $HOME %s' 'a"b\\c=d' port=443 proxied=true
telemetry_track "Installation Started" note="$quotes"
telemetry_track "Installation Started" note="$(printf 'a\\377\\300b')"`,
    files: UBUNTU,
    expect: {
      stderr: NOTICE,
      receipts: ["installer notice 1", "server notice 1"],
      sent: [
        {
          event: "Installation Started",
          properties: {
            os: "ubuntu",
            note: 'a"b\\c $(echo x) `id` $HOME %s',
            'a"b\\c': "d",
            port: 443,
            proxied: true,
          },
        },
        { event: "Installation Started", properties: { os: "ubuntu", note: '"'.repeat(1024) } },
        { event: "Installation Started", properties: { os: "ubuntu", note: "a??b" } },
      ],
    },
  },
  {
    name: "what the plan does not declare is left out: names, values, line breaks, 10 kB, a whole event",
    table: "odd",
    script: `telemetry_notice
long=$(printf '%010240d' 0)
telemetry_track "Installation Started" user=ada note="$long" port=65536 proxied=yes "note=two
lines" os=ubuntu '=x' novalue
telemetry_track "Installation Started" os=TempleOS
telemetry_track "Installation Aborted"
telemetry_track
telemetry_error "/opt/appsmith exists"`,
    files: UBUNTU,
    expect: {
      stderr: NOTICE,
      receipts: ["installer notice 1", "server notice 1"],
      sent: [
        { event: "Installation Errors", properties: { os: "ubuntu" } },
        started,
        { event: "Installation Started", properties: {} },
      ],
    },
  },
  ...(
    [
      ["a quoted name", 'ID="rocky"\n', "rocky"],
      ["single quotes", "ID='alpine'\n", "alpine"],
      ["a system of no list", "ID=templeos\n", "other"],
      ["a line that is no name", "ID=`reboot`\n", "other"],
      ["no file", undefined, "other"],
    ] as const
  ).map(([what, text, os]) => ({
    name: `the system is read from os-release: ${what}`,
    script: START,
    files: text === undefined ? {} : { "os-release": text },
    expect: { ...usual, sent: [{ event: "Installation Started", properties: { os } }] },
  })),
  {
    name: "macOS has no os-release",
    script: `uname() { echo Darwin; }\n${START}`,
    expect: { ...usual, sent: [{ event: "Installation Started", properties: { os: "macos" } }] },
  },
  ...(
    [
      ["the product's switch", { APPSMITH_DISABLE_TELEMETRY: "true" }],
      ["the product's mode", { APPSMITH_TELEMETRY: "off" }],
      ["DO_NOT_TRACK", { DO_NOT_TRACK: "1" }],
    ] as const
  ).map(([what, environment]) => ({
    name: `nothing is sent, asked or kept when the environment says so: ${what}`,
    script: `telemetry_install_trap\n${START}\ntelemetry_support\ntelemetry_error port_taken\nexit 3`,
    environment,
    files: { ...UBUNTU, [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { ...DENIED, status: 3 },
  })),
  {
    name: "the policy of the machine turns it off, for the server too",
    script: START,
    files: { ...UBUNTU, policy: "# by the administrator\noff appsmith\n" },
    expect: DENIED,
  },
  {
    name: "a CI system is not asked, and its installs are not counted",
    script: START,
    files: UBUNTU,
    environment: { CI: "true" },
    expect: { stderr: "", receipts: ["client no 1"], dockerEnv: usual.dockerEnv },
  },
  {
    name: "log mode prints what would be sent, and sends and keeps nothing",
    script: `telemetry_notice\ntelemetry_track "Installation Started"`,
    files: UBUNTU,
    environment: { APPSMITH_TELEMETRY: "log" },
    expect: {
      stderr:
        'not sent: {"type":"track","event":"Installation Started","anonymousId":"log","messageId":"log","timestamp":"TIME","context":{"library":{"name":"candor-installer","version":"0.1.0"}},"integrations":{},"properties":{"os":"ubuntu"},"writeKey":"key_\\"1\\""}\n',
    },
  },
  {
    name: "before the notice nothing is sent, and nothing of it later",
    script: `telemetry_track "Installation Started"\ntelemetry_notice\ntelemetry_success`,
    files: UBUNTU,
    expect: { stderr: NOTICE, receipts: ["installer notice 1", "server notice 1"], sent: [succeeded] },
  },
  {
    name: "an upgrade keeps the answers and is silent",
    script: `${START}\ntelemetry_success`,
    files: ANSWERED,
    expect: { ...kept, sent: [started, succeeded] },
  },
  {
    name: "a stored No is not asked again",
    script: START,
    files: { ...UBUNTU, "opt/telemetry/receipts.ndjson": TOLD + receipt("client", "no") },
    expect: {
      receipts: ["installer notice 1", "server notice 1", "client no 1"],
      dockerEnv: usual.dockerEnv,
      sent: [started],
    },
  },
  {
    name: "docker.env keeps what else it holds, and what the operator wrote there",
    script: START,
    files: {
      ...ANSWERED,
      "opt/docker.env":
        "# mine\nAPPSMITH_SECRET='a & b\\\\c'\n\nAPPSMITH_CLIENT_TELEMETRY=false\nX=\xff\xfe\nLAST=1",
    },
    expect: {
      ...kept,
      dockerEnv:
        "# mine\nAPPSMITH_SECRET='a & b\\\\c'\n\nAPPSMITH_CLIENT_TELEMETRY=false\nX=\xff\xfe\nLAST=1\nAPPSMITH_DISABLE_TELEMETRY=false\n",
      sent: [started],
    },
  },
  {
    name: "a switch in docker.env turns the installer off too, and stays as it is written",
    script: `${START}\ntelemetry_success`,
    files: {
      ...ANSWERED,
      "opt/docker.env": "APPSMITH_DISABLE_TELEMETRY=true\n",
      [`${LEFT_NAME}.ndjson`]: LEFT,
    },
    expect: { ...kept, dockerEnv: "APPSMITH_DISABLE_TELEMETRY=true\n" },
  },
  {
    name: "a refusal of this machine is written over an old switch",
    script: START,
    files: { ...UBUNTU, "opt/docker.env": "A=1\nAPPSMITH_DISABLE_TELEMETRY=false\nB=2\n" },
    environment: { DO_NOT_TRACK: "1" },
    expect: { dockerEnv: "A=1\nAPPSMITH_DISABLE_TELEMETRY=true\nB=2\n" },
  },
  {
    name: "a Yes in the environment needs no question",
    script: START,
    files: UBUNTU,
    environment: { APPSMITH_CLIENT_TELEMETRY: "true" },
    expect: {
      ...usual,
      receipts: ["installer notice 1", "server notice 1"],
      dockerEnv: "APPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=true\n",
      sent: [started],
    },
  },
  {
    name: "docker.env can be written after the question",
    script: `env=$TELEMETRY_DOCKER_ENV\nTELEMETRY_DOCKER_ENV=\n${START}\nTELEMETRY_DOCKER_ENV=$env\necho A=1 >"$env"\ntelemetry_docker_env`,
    files: UBUNTU,
    expect: {
      ...usual,

      dockerEnv: `A=1\n${usual.dockerEnv}`,
      sent: [started],
    },
  },
  {
    name: "a grown plan shows its notice again; a client's Yes stays what it was",
    script: `${START} seconds=12\ntelemetry_track "Installation Resumed"`,
    table: "grown",
    files: ANSWERED,
    expect: {
      ...kept,
      stderr: NOTICE,
      receipts: [
        "installer notice 1",
        "server notice 1",
        "client yes 1",
        "installer notice 3",
        "server notice 3",
        "client no 3",
        "client yes 1",
      ],
      sent: [
        { event: "Installation Resumed", properties: { os: "ubuntu" } },
        { event: "Installation Started", properties: { os: "ubuntu", seconds: 12 } },
      ],
    },
  },
  {
    name: "what a grown plan adds is withheld until the notice is shown",
    script: `telemetry_track "Installation Started" seconds=12\ntelemetry_track "Installation Resumed"`,
    table: "grown",
    files: ANSWERED,
    expect: { ...kept, sent: [started] },
  },
  {
    name: "a receipt of a later plan is stale: the notice is shown for this one",
    script: `telemetry_notice\ntelemetry_success`,
    files: { ...UBUNTU, "opt/telemetry/receipts.ndjson": receipt("installer", "notice", "grown", 3) },
    expect: {
      stderr: NOTICE,
      receipts: ["installer notice 3", "installer notice 1", "server notice 1"],
      sent: [succeeded],
    },
  },
  {
    name: "malformed receipts deny, until the question is answered anew",
    script: `telemetry_notice\ntelemetry_ask\ntelemetry_success`,
    files: { ...UBUNTU, "opt/telemetry/receipts.ndjson": `${TOLD}{"source":` },
    expect: { receipts: ["client no 1"], dockerEnv: usual.dockerEnv },
  },
  {
    name: "without curl, wget sends",
    script: `${START}\ntelemetry_success`,
    sender: "wget",
    files: UBUNTU,
    expect: { ...usual, sent: [started, succeeded] },
  },
  {
    name: "busybox's programs are enough",
    script: `telemetry_install_trap\n${START}\nexit 5`,
    sender: "busybox",
    files: { ...UBUNTU, "opt/docker.env": "A=1\nAPPSMITH_DISABLE_TELEMETRY=false" },
    expect: {
      ...usual,
      status: 5,
      dockerEnv: "A=1\nAPPSMITH_DISABLE_TELEMETRY=false\nAPPSMITH_CLIENT_TELEMETRY=false\n",
      sent: [failed("unknown"), started],
    },
  },
  {
    name: "with nothing to send with, all waits in the outbox",
    script: START,
    sender: "none",
    files: UBUNTU,
    expect: { ...usual, waiting: ["Installation Started"] },
  },
  ...(["closed", 503, 500, 429, 408, 401, 404, 301, "page"] as const).map((collector) => ({
    name: `what a collector does not take waits in the outbox: ${collector}`,
    script: START,
    collector,
    files: UBUNTU,
    expect: { ...usual, sent: collector === "closed" ? [] : [started], waiting: ["Installation Started"] },
  })),
  ...([400, 413] as const).map((collector) => ({
    name: `what a collector refuses for good is not sent again: ${collector}`,
    script: START,
    collector,
    files: UBUNTU,
    expect: { ...usual, sent: [started] },
  })),
  {
    name: "what an earlier run could not send goes along, as a resend",
    script: START,
    files: { ...ANSWERED, [`${LEFT_NAME}.ndjson`]: LEFT + LEFT },
    expect: { ...kept, sent: [{ ...left, again: true }, { ...left, again: true }, started] },
  },
  {
    name: "what was sent of an outbox is not sent again, nor a torn line",
    script: START,
    files: {
      ...ANSWERED,
      [`${LEFT_NAME}.ndjson`]: LEFT + LEFT,
      [`${LEFT_NAME}.sent`]: `${LEFT.length}\n`,
      [`${LEFT_NAME}88.ndjson`]: `${LEFT}${LEFT.slice(0, 40)}`,
    },
    expect: { ...kept, sent: [{ ...left, again: true }, started], waiting: ["Installation Errors", "torn"] },
  },
  {
    name: "while a server holds the lease, earlier runs' events are left to it",
    script: START,
    files: {
      ...ANSWERED,
      [`${LEFT_NAME}.ndjson`]: LEFT,
      "opt/telemetry/sender.lease": '{"holder":"00","untilMs":99999999999999}\n',
    },
    expect: { ...kept, sent: [started], waiting: ["Installation Errors"] },
  },
  {
    name: "events of more than seven days ago are deleted",
    script: `touch -d '8 days ago' "$here/${LEFT_NAME}.ndjson"\n${START}`,
    files: { ...ANSWERED, [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { ...kept, sent: [started] },
  },
  ...(
    [
      ["no such folder to be in", "TELEMETRY_STATE_DIR=$here/none/telemetry"],
      ["nothing may be made there", "TELEMETRY_STATE_DIR=/proc/telemetry"],
      ["a file is in the way", 'echo x >"$here/file"; TELEMETRY_STATE_DIR=$here/file'],
      ["not said where", "TELEMETRY_STATE_DIR="],
      ["never set", "unset TELEMETRY_STATE_DIR"],
    ] as const
  ).map(([what, script]) => ({
    name: `without a state folder it is off: ${what}`,
    script: `${script}\ntelemetry_install_trap\n${START}\ntelemetry_error port_taken\nexit 3`,
    files: UBUNTU,
    expect: { stderr: NOTICE, status: 3, dockerEnv: usual.dockerEnv },
  })),
  {
    name: "without a collector's address nothing is sent or kept",
    script: `unset TELEMETRY_URL TELEMETRY_WRITE_KEY TELEMETRY_PAGE\n${START}`,
    files: UBUNTU,
    expect: { ...usual, stderr: NOTICE.replace(": https://example.com/telemetry", "") },
  },
  {
    name: "the shell's settings do not matter: noclobber, noglob, allexport, an odd IFS, positional parameters",
    script: `set -afC\nIFS=0123456789,\nset -- "a b" c\ntelemetry_install_trap\n${START}\ntelemetry_error port_taken\necho "$# $1 $2 $IFS"\nexit 3`,
    files: { ...UBUNTU, [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: {
      ...usual,
      status: 3,
      stdout: "2 a b c 0123456789,\n",
      sent: [{ ...left, again: true }, failed("port_taken"), started],
    },
  },
  {
    name: "pipefail does not matter, nor a closed stderr or stdin",
    script: `(set -o pipefail) 2>/dev/null && set -o pipefail\n${START} 2>&-\ntelemetry_notice 2>&- <&-\ntelemetry_error port_taken 2>&1 <&-\necho "$?"`,
    files: UBUNTU,
    expect: { ...usual, stdout: "0\n", sent: [failed("port_taken")] },
  },
  {
    name: "a proxy that is not there costs nothing but the events",
    script: START,
    environment: { http_proxy: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" },
    files: UBUNTU,
    expect: { ...usual, waiting: ["Installation Started"] },
  },
  {
    name: "curl's own settings are not read",
    script: START,
    files: {
      ...UBUNTU,
      "home/.curlrc": 'output = stolen\nheader = "X-Retry-Count: 9"\nurl = http://127.0.0.1:1\n',
    },
    expect: { ...usual, sent: [started] },
  },
  {
    name: "calls in subshells and conditions work alike",
    script: `${START}\n(telemetry_track "Installation Started")\nif telemetry_success; then echo yes; fi`,
    files: UBUNTU,
    expect: { ...usual, stdout: "yes\n", sent: [started, started, succeeded] },
  },
];

const ID = /^[0-9a-f]{32}$/;
const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** In CI nothing is skipped; elsewhere what this machine has nothing to send with. */
const possible = scenarios.filter(
  ({ sender }) =>
    process.env.CI !== undefined ||
    sender === undefined ||
    sender === "none" ||
    findProgram(sender) !== undefined,
);

describe.each(findShells(process.env.CI !== undefined))("in $name", (shell) => {
  it.concurrent.each(possible)("$name", async (scenario) => {
    const recorder =
      scenario.collector === "closed" ? undefined : await openRecorder(scenario.collector ?? 200);
    const installation = prepareInstallation({
      shell,
      table: scenario.table ?? "first",
      script: scenario.script,
      url: recorder?.url ?? (await closedUrl()),
      sender: scenario.sender ?? "curl",
      environment: scenario.environment ?? {},
      files: scenario.files ?? {},
    });
    try {
      const outcome = await installation.run();
      await installation.rest();
      expect(observe(installation, outcome, recorder?.requests ?? [])).toEqual(fill(scenario));
    } finally {
      await recorder?.close();
      installation.remove();
    }
  });
});

function fill({ expect: expected }: Scenario): Expected {
  return {
    status: expected.status ?? 0,
    stdout: expected.stdout ?? "",
    stderr: expected.stderr ?? "",
    sent: sort((expected.sent ?? []).map((sent) => ({ again: false, ...sent }))),
    waiting: expected.waiting ?? [],
    receipts: expected.receipts,
    dockerEnv: expected.dockerEnv,
  };
}

function observe(installation: Installation, outcome: Outcome, requests: readonly Recorded[]): Expected {
  const clean = (text: string) =>
    text
      .replaceAll(installation.folder, "FOLDER")
      .replaceAll(/"[0-9a-f]{32}"/g, '"ID"')
      .replaceAll(/"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"TIME"');
  return {
    status: outcome.status,
    stdout: outcome.stdout,
    stderr: clean(outcome.stderr),
    sent: sort(requests.flatMap(readSent)),
    waiting: listWaiting(installation),
    receipts: listReceipts(installation.read("opt/telemetry/receipts.ndjson")),
    dockerEnv: installation.read("opt/docker.env"),
  };
}

type Sent = NonNullable<Expected["sent"]>[number];

/** Checks every byte of a request, and gives what differs from one to the next. */
function readSent({ path, retryCount, contentType, body }: Recorded): Sent[] {
  expect({ path, contentType }).toEqual({ path: "POST /v1/batch", contentType: "application/json" });
  const text = body.toString("latin1");
  const { batch, sentAt }: { batch: Record<string, unknown>[]; sentAt: string } = JSON.parse(text);
  expect(sentAt).toMatch(TIME);
  expect(text).toMatch(/^[ -~]*$/);
  expect(text).toBe(JSON.stringify({ batch, sentAt }));
  return batch.map((message) => {
    const { anonymousId, messageId, timestamp, event, properties, ...rest } = message;
    expect(anonymousId).toMatch(ID);
    expect(messageId).toMatch(ID);
    expect(timestamp).toMatch(TIME);
    expect(rest).toEqual({
      type: "track",
      context: { library: { name: "candor-installer", version: "0.1.0" } },
      integrations: {},
      writeKey: 'key_"1"',
    });
    return { again: retryCount === "1", event: String(event), properties: Object(properties) };
  });
}

/** The events of lines that no `.sent` file tells of. */
function listWaiting(installation: Installation): string[] {
  const outbox = "opt/telemetry/outbox";
  return installation
    .list(outbox)
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => {
      const sent = Number(installation.read(`${outbox}/${name.replace(/ndjson$/, "sent")}`) ?? 0);
      const lines = (installation.read(`${outbox}/${name}`) ?? "").slice(sent).split("\n");
      const torn = lines.pop() === "" ? [] : ["torn"];
      return [...lines.map((line) => String(Object(JSON.parse(line)).event)), ...torn];
    })
    .sort(compare);
}

/** Read as the server's SDK reads them: what it cannot read denies. */
function listReceipts(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return (readReceipts(text) ?? []).map(({ source, answer, time, planVersion, planHash, by }) => {
    expect({ time, by }).toEqual({ time: expect.stringMatching(TIME), by: "installer" });
    expect([hashOf("first"), hashOf("grown"), hashOf("odd")]).toContain(planHash);
    return `${source} ${answer} ${planVersion}`;
  });
}

/** Events leave in the background, in no order. */
function sort(sent: Sent[]): Sent[] {
  const keyOf = ({ event, properties, again }: Sent) =>
    JSON.stringify([event, Object.entries(properties).sort(), again]);
  return sent.sort((a, b) => compare(keyOf(a), keyOf(b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
