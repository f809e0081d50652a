// @module-tag posix-tools
import { runScenarios, type Scenario } from "./rig/scenario.ts";
import { ANSWERED, failed, kept, START, started, succeeded, UBUNTU, usual } from "./rig/usual.ts";

const LONG_S = 20;

const scenarios: readonly Scenario[] = [
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
    name: "the caller's trap may end with a quote, and contain the word trap",
    script: `: >opt/tmp\ntrap "echo 'trap -- x' EXIT
rm 'opt/tmp'" EXIT\ntrap 'echo INT EXIT
' USR1\ntelemetry_install_trap\n${START}\nkill -USR1 $$\n[ -e opt/tmp ]\nexit 4`,
    files: UBUNTU,
    expect: {
      ...usual,
      status: 4,
      stdout: "INT EXIT\ntrap -- x EXIT\n",
      sent: [failed("unknown"), started],
    },
  },
  {
    name: "the trap is set once, however often it is requested",
    script: `trap "echo 'caller'" EXIT\ntelemetry_install_trap\ntelemetry_install_trap\n. '${new URL("../candor.sh", import.meta.url).pathname}'\nkit_os_file=$here/os-release\ntelemetry_install_trap\n${START}\nexit 3`,
    files: UBUNTU,
    expect: { ...usual, status: 3, stdout: "caller\n", sent: [failed("unknown"), started] },
  },
  {
    name: "a subshell with the kit's trap does not run its parent's trap",
    // The sleep lets the messages of the first install arrive. Otherwise the second install would send them
    // again.
    script: `trap "echo 'parent'" EXIT\nmain() { telemetry_install_trap; ${START.replaceAll("\n", "; ")}; exit 5; }\n(main) || echo "$?"\nsleep 3\nmain | cat\necho end`,
    files: ANSWERED,
    expect: {
      ...kept,
      stdout: "5\nend\nparent\n",
      sent: [failed("unknown"), failed("unknown"), started, started],
    },
  },
  {
    name: "a subshell may set its own trap before the kit's",
    script: `trap 'echo parent' EXIT\n(trap "echo 'own'" EXIT; telemetry_install_trap; exit 5) || echo "$?"`,
    files: ANSWERED,
    expect: { ...kept, stdout: "own\n5\nparent\n", sent: [failed("unknown")] },
  },
  {
    name: "an error that a subshell reported is not reported again by the parent's trap, and both are one install",
    script: `telemetry_install_trap\ntelemetry_notice\n(telemetry_track "Installation Started"; telemetry_error docker_missing; exit 1) || exit 1`,
    files: ANSWERED,
    expect: { ...kept, status: 1, sent: [failed("docker_missing"), started], identities: 1 },
  },
  {
    name: "a report from a pipe's subshell belongs to the same install too",
    script: `telemetry_install_trap\ntelemetry_notice\nmain() { telemetry_track "Installation Started"; }\nmain | cat\ntelemetry_success`,
    files: UBUNTU,
    expect: {
      ...usual,
      dockerEnv: "",
      receipts: ["installer notice 1", "server notice 1"],
      sent: [started, succeeded],
      identities: 1,
    },
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
    name: "an install that is interrupted ends by the signal, and reports it",
    script: `telemetry_install_trap\n${START}\nkill -INT $$\necho unreached`,
    files: UBUNTU,
    expect: { ...usual, status: "SIGINT", sent: [failed("interrupted"), started] },
  },
  {
    name: "a program that handles Ctrl-C itself has the same effect as without the kit: in bash, the install goes on",
    script: `telemetry_install_trap\n${START}\nsh -c 'kill -INT $PPID'\necho goes on`,
    files: UBUNTU,
    expect: { ...usual, status: "SIGINT", sent: [failed("interrupted"), started] },
    expectIn: [/bash/, { status: 0, stdout: "goes on\n", sent: [started] }],
  },
  {
    name: "an install that is terminated ends at once, not after the running command",
    script: `telemetry_install_trap\n${START}\nshell=$$\n(sleep 1; kill -TERM "$shell") >/dev/null 2>&1 &\ncd /\nsleep ${LONG_S} >/dev/null 2>&1\necho unreached`,
    files: ANSWERED,
    atMostS: LONG_S / 2,
    expect: { ...kept, status: "SIGTERM", sent: [started] },
  },
  {
    name: "the caller's own signal traps stay",
    script: `trap 'echo term; exit 9' TERM\ntrap 'echo int' INT\ntrap '' HUP\ntelemetry_install_trap\n${START}\nkill -HUP $$\nkill -INT $$\nkill -TERM $$`,
    files: UBUNTU,
    expect: { ...usual, status: 9, stdout: "int\nterm\n", sent: [failed("unknown"), started] },
  },
];

runScenarios(scenarios);
