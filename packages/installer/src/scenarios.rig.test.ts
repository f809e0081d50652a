// @module-tag posix-tools
import { NOTICE, receipt } from "./rig/answers.ts";
import { runScenarios, type Scenario } from "./rig/scenario.ts";
import {
  ANSWERED,
  DENIED,
  failed,
  kept,
  LEFT,
  LEFT_NAME,
  left,
  START,
  started,
  succeeded,
  TOLD,
  UBUNTU,
  usual,
} from "./rig/usual.ts";

const scenarios: readonly Scenario[] = [
  {
    name: "an install that succeeds reports its start and its success",
    script: `${START}\necho installing\ntelemetry_success`,
    files: UBUNTU,
    expect: { ...usual, stdout: "installing\n", sent: [started, succeeded] },
  },
  {
    name: "an install reports why it fails, and keeps its exit status",
    script: `telemetry_install_trap\n${START}\ntelemetry_error port_taken\nexit 3`,
    files: UBUNTU,
    expect: { ...usual, status: 3, sent: [failed("port_taken"), started] },
  },
  {
    name: "values are never run or misread: quotes, backslashes, broken UTF-8 and 1 kB of quotes",
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
      sent: [failed("unknown"), started, { event: "Installation Started", properties: {} }],
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
    name: "the machine's policy turns telemetry off, for the server too",
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
    name: "nothing from before the notice is sent, then or later",
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
    name: "docker.env keeps its other lines, and what the operator wrote there",
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
    name: "a switch in docker.env turns the installer off too, and its line is unchanged",
    script: `${START}\ntelemetry_success`,
    files: {
      ...ANSWERED,
      "opt/docker.env": "APPSMITH_DISABLE_TELEMETRY=true\n",
      [`${LEFT_NAME}.ndjson`]: LEFT,
    },
    expect: { ...kept, dockerEnv: "APPSMITH_DISABLE_TELEMETRY=true\n" },
  },
  ...[
    "export APPSMITH_DISABLE_TELEMETRY=true",
    "  APPSMITH_DISABLE_TELEMETRY=true",
    "APPSMITH_DISABLE_TELEMETRY: true",
    "\tAPPSMITH_DISABLE_TELEMETRY = true",
    "APPSMITH_DISABLE_TELEMETRY='true' # mine",
    "APPSMITH_DISABLE_TELEMETRY=\xff\xfe",
    "APPSMITH_DISABLE_TELEMETRY=true\r",
    "APPSMITH_DISABLE_TELEMETRY",
    `APPSMITH_DISABLE_TELEMETRY=\${APPSMITH_SILENT:-false}`,
    "APPSMITH_DISABLE_TELEMETRY=false\t# to one compose a comment, to the other not",
    "A='\nAPPSMITH_DISABLE_TELEMETRY=false",
    "DO_NOT_TRACK=1 # note",
    "APPSMITH_TELEMETRY=$MODE",
  ].map((line) => ({
    name: `a refusal in docker.env, or what may be one, counts, and is never overruled: ${JSON.stringify(line)}`,
    script: START,
    files: { ...UBUNTU, "opt/docker.env": `A=1\n${line}\nB=2\n` },
    expect: {
      dockerEnv: `A=1\n${line}\nB=2\n${line.includes("DISABLE") || line.includes("$") ? "" : "APPSMITH_DISABLE_TELEMETRY=true\n"}`,
    },
  })),
  ...["APPSMITH_DISABLE_TELEMETRY=true\n", "DO_NOT_TRACK=1\nAPPSMITH_DISABLE_TELEMETRY=1\n"].map((text) => ({
    name: `a refusal after a byte order mark counts: ${JSON.stringify(text)}`,
    script: START,
    files: { ...UBUNTU, "opt/docker.env": `\xef\xbb\xbf${text}` },
    expect: { dockerEnv: `\xef\xbb\xbf${text}` },
  })),
  ...[
    "APPSMITH_DISABLE_TELEMETRY=false # note",
    "APPSMITH_DISABLE_TELEMETRY='false'# note",
    'export APPSMITH_DISABLE_TELEMETRY = "0"',
    "APPSMITH_DISABLE_TELEMETRY=\r",
    "APPSMITH_DISABLE_TELEMETRY=true\nAPPSMITH_DISABLE_TELEMETRY=no",
    "APPSMITH_DISABLE_TELEMETRY=false\nDO_NOT_TRACK=0 # note",
    "APPSMITH_DISABLE_TELEMETRY=false\nSECRET='a\nDO_NOT_TRACK=1\nb'",
    "APPSMITH_DISABLE_TELEMETRY=false\nX_DO_NOT_TRACK=1",
  ].map((lines) => ({
    name: `a switch that is not a refusal stays as it is written: ${JSON.stringify(lines)}`,
    script: START,
    files: { ...ANSWERED, "opt/docker.env": `${lines}\nAPPSMITH_CLIENT_TELEMETRY=true\n` },
    expect: { ...kept, dockerEnv: `${lines}\nAPPSMITH_CLIENT_TELEMETRY=true\n`, sent: [started] },
  })),
  ...(
    [
      [
        "export APPSMITH_DISABLE_TELEMETRY = 'false' # mine\r",
        "export APPSMITH_DISABLE_TELEMETRY = 'true' # mine\r",
      ],
      ["APPSMITH_DISABLE_TELEMETRY=", "APPSMITH_DISABLE_TELEMETRY=true"],
      ["\xef\xbb\xbfAPPSMITH_DISABLE_TELEMETRY=0", "\xef\xbb\xbfAPPSMITH_DISABLE_TELEMETRY=true"],
      [
        "APPSMITH_DISABLE_TELEMETRY=0\nAPPSMITH_DISABLE_TELEMETRY=no\nX='APPSMITH_DISABLE_TELEMETRY=0\n'",
        "APPSMITH_DISABLE_TELEMETRY=0\nAPPSMITH_DISABLE_TELEMETRY=true\nX='APPSMITH_DISABLE_TELEMETRY=0\n'",
      ],
    ] as const
  ).map(([before, after]) => ({
    name: `a refusal of this machine is written over the line that holds, and nothing else changes: ${JSON.stringify(before)}`,
    script: `mkdir opt/docker.env.old\n${START}\nls opt`,
    files: { ...UBUNTU, "opt/docker.env": `${before}\nPASSWORD=\xff\xfe\n\n\n` },
    environment: { DO_NOT_TRACK: "1", LC_ALL: "C.UTF-8" },
    expect: {
      stdout: "docker.env\ndocker.env.old\n",
      dockerEnv: `${after}\nPASSWORD=\xff\xfe\n\n\n`,
    },
  })),
  ...["NO_STATS=true", "APPSMITH_DISABLE_TELEMETRY=true", "NO_STATS=0\nAPPSMITH_DISABLE_TELEMETRY=1"].map(
    (lines) => ({
      name: `each name of the switch refuses, and no other is written beside it: ${JSON.stringify(lines)}`,
      script: START,
      table: "two switches" as const,
      files: { ...UBUNTU, "opt/docker.env": `${lines}\n` },
      expect: { dockerEnv: `${lines}\n` },
    }),
  ),
  ...["NO_STATS=false", "APPSMITH_DISABLE_TELEMETRY=false"].map((line) => ({
    name: `one name of the switch is enough before the operator's eyes: ${line}`,
    script: START,
    table: "two switches" as const,
    files: { ...ANSWERED, "opt/docker.env": `${line}\nAPPSMITH_CLIENT_TELEMETRY=true\n` },
    expect: { ...kept, dockerEnv: `${line}\nAPPSMITH_CLIENT_TELEMETRY=true\n`, sent: [started] },
  })),
  {
    name: "a refusal by this machine under the switch's second name is written under its first",
    script: START,
    table: "two switches",
    files: UBUNTU,
    environment: { APPSMITH_DISABLE_TELEMETRY: "yes" },
    expect: { dockerEnv: "NO_STATS=true\n" },
  },
  {
    name: "a refusal by this machine overwrites an old switch",
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
    name: "docker.env is not created, and can be written after the question",
    script: `rm "$TELEMETRY_DOCKER_ENV"\n${START}\nls opt\necho A=1 >"$TELEMETRY_DOCKER_ENV"\ntelemetry_docker_env`,
    files: UBUNTU,
    expect: {
      ...usual,

      stdout: "telemetry\n",
      dockerEnv: `A=1\n${usual.dockerEnv}`,
      sent: [started],
    },
  },
  {
    name: "a grown plan shows its notice again; the client's Yes stays unchanged",
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
    name: "a consent record for a later plan is stale: the notice is shown for this plan",
    script: `telemetry_notice\ntelemetry_success`,
    files: { ...UBUNTU, "opt/telemetry/receipts.ndjson": receipt("installer", "notice", "grown", 3) },
    expect: {
      stderr: NOTICE,
      receipts: ["installer notice 3", "installer notice 1", "server notice 1"],
      sent: [succeeded],
    },
  },
  {
    name: "malformed consent records deny; a missing answer does not replace them or delete what is waiting",
    script: `telemetry_notice\ntelemetry_ask\ntelemetry_success`,
    files: {
      ...UBUNTU,
      "opt/telemetry/receipts.ndjson": `${receipt("server", "no")}{"source":`,
      [`${LEFT_NAME}.ndjson`]: LEFT,
    },
    expect: {
      receipts: [],
      waiting: ["Installation Errors"],
      others: { "opt/telemetry/receipts.ndjson": `${receipt("server", "no")}{"source":` },
    },
  },
  {
    name: "a policy that cannot be read denies, but deletes nothing",
    script: START,
    files: { ...UBUNTU, policy: "of appsmith\n", [`${LEFT_NAME}.ndjson`]: LEFT },
    expect: { waiting: ["Installation Errors"] },
  },
  {
    name: "a stored No of the server is not followed by an offer of the switch",
    script: START,
    files: {
      ...UBUNTU,
      "opt/telemetry/receipts.ndjson": receipt("installer", "no") + receipt("server", "no"),
    },
    expect: {
      receipts: ["installer no 1", "server no 1", "client no 1"],
      dockerEnv: "APPSMITH_CLIENT_TELEMETRY=false\n",
    },
  },
  {
    name: "without curl, wget sends",
    script: `${START}\ntelemetry_success`,
    sender: "wget",
    files: UBUNTU,
    expect: { ...usual, sent: [started, succeeded] },
  },
  {
    name: "the programs of busybox are enough",
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
    name: "without a program that can send, all messages wait in the outbox",
    script: START,
    sender: "none",
    files: UBUNTU,
    expect: { ...usual, waiting: ["Installation Started"] },
  },
  ...(["closed", 503, 500, 429, 408, 401, 404, 301, "page", "page of 400"] as const).map((collector) => ({
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
    name: "what an earlier run could not send is also sent, as a resend",
    script: START,
    files: { ...ANSWERED, [`${LEFT_NAME}.ndjson`]: LEFT + LEFT },
    expect: { ...kept, sent: [{ ...left, again: true }, { ...left, again: true }, started] },
  },
  {
    name: "what was already sent is not sent again, and a torn line is not sent",
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
    name: "a message with a rejected key does not hold up the others",
    script: START,
    collector: "knows keys",
    files: {
      ...ANSWERED,
      [`${LEFT_NAME}.ndjson`]: LEFT.replace(/"writeKey":.*}/, '"writeKey":"old"}'),
      [`${LEFT_NAME}88.ndjson`]: LEFT,
    },
    expect: {
      ...kept,
      sent: [{ ...left, again: true }, { ...left, again: true }, started],
      waiting: ["Installation Errors"],
    },
  },
  {
    name: "events older than seven days are deleted",
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
    name: "an odd IFS does not duplicate a given `os`, and another value does not count as `os`",
    table: "odd",
    script: `telemetry_notice\nIFS=,\ntelemetry_track "Installation Started" os=alpine\nunset IFS\ntelemetry_track "Installation Started" "note=x os=y"`,
    files: UBUNTU,
    expect: {
      stderr: NOTICE,
      receipts: ["installer notice 1", "server notice 1"],
      sent: [
        { event: "Installation Started", properties: { os: "alpine" } },
        { event: "Installation Started", properties: { os: "ubuntu", note: "x os=y" } },
      ],
    },
  },
  {
    name: "allexport exports no secret from docker.env, however long",
    script: `set -a\n${START}\ntelemetry_docker_env\nenv | grep -c hunter2 || echo clean`,
    files: {
      ...UBUNTU,
      "opt/docker.env": `PASSWORD=hunter2\nLONG=${"x".repeat(200_000)}\nAPPSMITH_DISABLE_TELEMETRY=false\n`,
    },
    expect: {
      ...usual,
      stdout: "0\nclean\n",
      dockerEnv: `PASSWORD=hunter2\nLONG=${"x".repeat(200_000)}\n${usual.dockerEnv}`,
      sent: [started],
    },
  },
  {
    name: "pipefail and a closed stderr or stdin do not matter",
    script: `(set -o pipefail) 2>/dev/null && set -o pipefail\n${START} 2>&-\ntelemetry_notice 2>&- <&-\ntelemetry_error port_taken 2>&1 <&-\necho "$?"`,
    files: UBUNTU,
    expect: { ...usual, stdout: "0\n", sent: [failed("port_taken")] },
  },
  {
    name: "an unreachable proxy only delays the events",
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

runScenarios(scenarios);
