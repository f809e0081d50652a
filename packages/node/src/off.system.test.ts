// @module-tag root
// @module-tag strace
// @module-tag mounts
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EVENT, makeRigFolder, numbersKept, QUIET, range, startChild } from "./rig/child.ts";
import { SWITCH_OFFERED } from "./rig/in-process.ts";
import { withOwnEtc } from "./rig/own-mounts.ts";
import { receipt } from "./rig/receipt.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";
import { type Trace, type Traced, traceChild } from "./rig/trace.ts";

const PATH = process.env.PATH ?? "";
const NOTHING: Trace = { sockets: [], peers: [], etc: [], changes: [] };

/** Starts to record the types of the resources that async_hooks reports. */
const WATCHED = `
  const { createHook } = await import("node:async_hooks");
  const made = [];
  const slept = sleep(300);
  const hook = createHook({ init: (_id, type) => made.push(type) }).enable();
`;
const TELL_MADE = `
  await slept;
  hook.disable();
  tell({ state: telemetry.status().state, reason: telemetry.status().reason, made: made.filter((type) => !/PROMISE|TickObject|Immediate|RANDOMBYTES/.test(type)) });
`;
/** Calls that a product makes to the SDK: events, traits, heartbeats, inspector, gateway and flush. */
const USE = `
  track(0, 10);
  telemetry.identify("ada");
  telemetry.keepAlive({ everyHours: 1, healthy: () => true });
  telemetry.inspector();
  telemetry.gateway({ writeKey: "client_key" });
  await telemetry.flush();
  track(10, 20);
`;

let recorder: Recorder;
/** The trace of the same program without the SDK. */
let baseline: Trace;

beforeAll(async () => {
  recorder = await startRecorder();
  const program = `${WATCHED} ${TELL_MADE}`.replaceAll("telemetry.status()", "{}");
  const { trace, ended } = await traceChild({ ...place(), env: { PATH }, isWithout: true, program });
  expect(ended).toEqual(QUIET);
  baseline = trace;
});
afterAll(() => recorder.close());
beforeEach(() => {
  recorder.answer = undefined;
  recorder.requests.splice(0);
  recorder.kept.splice(0);
});

function place(): { stateDir: string; host: string } {
  return { stateDir: join(makeRigFolder(), "telemetry"), host: recorder.url };
}

function beyond(trace: Trace): Trace {
  const without = (kind: keyof Trace): string[] =>
    trace[kind].filter((entry) => !baseline[kind].includes(entry));
  return {
    sockets: without("sockets"),
    peers: without("peers"),
    etc: without("etc").filter((path) => !["/etc/candor/policy", "/etc/localtime"].includes(path)),
    changes: without("changes"),
  };
}

interface Switch {
  readonly env?: Readonly<Record<string, string>>;
  readonly receipts?: string;
  readonly policy?: string;
}

/** Cases in which telemetry is off, each with its reason. */
const SWITCHES: readonly (readonly [what: string, reason: string, Switch])[] = [
  ["the product's own switch", "environment_disable", { env: { APPSMITH_DISABLE_TELEMETRY: "true" } }],
  ["the product's mode", "environment_off", { env: { ...SWITCH_OFFERED, APPSMITH_TELEMETRY: "off" } }],
  ["DO_NOT_TRACK", "environment_do_not_track", { env: { ...SWITCH_OFFERED, DO_NOT_TRACK: "1" } }],
  ["the machine's policy", "policy_off", { policy: "off\n" }],
  ["the machine's policy for this product", "policy_off", { policy: "# ours\noff appsmith\n" }],
  ["a malformed policy", "policy_unreadable", { policy: "of\n" }],
  ["a stored No", "stored_no", { receipts: receipt("yes") + receipt("no") }],
  ["a malformed stored answer", "receipt_unreadable", { receipts: `${receipt("yes")}{"sou` }],
  ["no consent at all", "notice_missing", { env: {} }],
];

function runOff({ env = SWITCH_OFFERED, receipts, policy }: Switch, stateDir: string): Promise<Traced> {
  if (receipts !== undefined) {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(join(stateDir, "receipts.ndjson"), receipts);
  }
  return traceChild({
    ...place(),
    stateDir,
    env: { PATH, ...env },
    program: `${USE} ${TELL_MADE}`,
    before: WATCHED,
    under: policy === undefined ? [] : withOwnEtc({ "candor/policy": policy }),
  });
}

describe.each(SWITCHES)("turned off by %s", (_what, reason, how) => {
  it("the SDK uses no network, DNS, timer or disk", async () => {
    const { stateDir } = place();
    const { trace, ended, told } = await runOff(how, stateDir);
    expect(ended).toEqual(QUIET);
    expect(told).toEqual([{ state: "off", reason, made: [] }]);
    expect(beyond(trace)).toEqual(NOTHING);
    expect(existsSync(stateDir) ? readdirSync(stateDir) : []).toEqual(
      how.receipts === undefined ? [] : ["receipts.ndjson"],
    );
    expect(recorder.requests).toEqual([]);
  });

  it("the SDK deletes what it stored earlier, or leaves it if this is not a refusal, and does nothing else", async () => {
    const { stateDir } = place();
    const host = "http://127.0.0.1:9";
    const before = startChild({
      stateDir,
      host,
      program: "track(0, 10); telemetry.keepAlive({ healthy: () => true });",
    });
    expect(await before.ended).toEqual(QUIET);
    // Imitates the temporary file of a process that was killed between writing and renaming it.
    writeFileSync(join(stateDir, "instance.json.0a1b2c3d.tmp"), '{"instanceId":"x"}');
    const files = readdirSync(stateDir);
    const isTried = (name: string): boolean => name === "delivery.json"; // exists if a send was tried
    expect(files.filter((name) => !isTried(name))).toEqual([
      "instance.json",
      "instance.json.0a1b2c3d.tmp",
      "keep-alive.json",
      "outbox",
      "plan.json",
      "receipts.ndjson",
    ]);
    const receipts = how.receipts ?? "";
    const { trace, ended, told } = await runOff({ ...how, receipts }, stateDir);
    expect(ended).toEqual(QUIET);
    expect(told).toEqual([{ state: "off", reason, made: [] }]);
    const isRefusal = !reason.endsWith("_unreadable") && reason !== "notice_missing";
    expect(readdirSync(stateDir)).toEqual(isRefusal ? ["receipts.ndjson"] : files);
    expect(readFileSync(join(stateDir, "receipts.ndjson"), "utf8")).toBe(receipts);
    const { changes, ...rest } = beyond(trace);
    expect(rest).toEqual({ sockets: [], peers: [], etc: [] });
    expect(changes.length > 3).toBe(isRefusal);
    expect(changes.filter((change) => !/^(unlink|unlinkat|rmdir) /.test(change))).toEqual([]);
    expect(changes.filter((change) => !change.includes(` ${stateDir}/`))).toEqual([]);
    expect(recorder.requests).toEqual([]);
  });
});

describe("without a switch", () => {
  it("unusable options have the effect that nothing is touched", async () => {
    const { stateDir } = place();
    const { trace, ended, told } = await traceChild({
      stateDir,
      host: "collector",
      env: { PATH, ...SWITCH_OFFERED },
      before: WATCHED,
      program: `${USE} ${TELL_MADE}`,
    });
    expect(ended).toEqual(QUIET);
    expect(told).toEqual([{ state: "off", reason: "options_invalid", made: [] }]);
    expect(beyond(trace)).toEqual(NOTHING);
    expect(existsSync(stateDir)).toBe(false);
  });

  it("log mode prints what would be sent, and does nothing else", async () => {
    const { stateDir, host } = place();
    const { trace, ended, told } = await traceChild({
      stateDir,
      host,
      env: { PATH, APPSMITH_TELEMETRY: "log" },
      before: WATCHED,
      program: `${USE} ${TELL_MADE}`,
    });
    const lines = ended.stderr.trimEnd().split("\n");
    expect({ ...ended, stderr: "" }).toEqual(QUIET);
    expect(lines.map((line) => JSON.parse(line.replace("telemetry (log): ", "")).event)).toEqual(
      range(0, 20).map(() => EVENT),
    );
    expect(told).toMatchObject([{ state: "log" }]);
    expect(beyond(trace)).toEqual(NOTHING);
    expect(existsSync(stateDir)).toBe(false);
  });

  it("the SDK connects to the collector's address, and to nothing else", async () => {
    const { stateDir, host } = place();
    const { trace, ended, told } = await traceChild({
      stateDir,
      host,
      env: { PATH, ...SWITCH_OFFERED },
      program: `${USE} tell(await telemetry.flush());`,
    });
    expect(ended).toEqual(QUIET);
    expect(told).toEqual([true]);
    expect(numbersKept(recorder)).toEqual(range(0, 20));
    const { sockets, peers, etc, changes } = beyond(trace);
    expect([...new Set(peers)]).toEqual([`connect ${new URL(host).host}`]);
    expect(sockets.filter((socket) => !/^AF_INET, SOCK_STREAM/.test(socket))).toEqual([]);
    expect(etc).toEqual([]);
    expect(changes.filter((change) => !change.includes(` ${stateDir}`))).toEqual([]);
  });

  it("a No that another process stores stops the SDK at once, and deletes what it had stored", async () => {
    const { stateDir } = place();
    const child = startChild({
      stateDir,
      host: recorder.url,
      program: `
        track(0, 10);
        await hear("no");
        track(10, 20);
        await sleep(300);
        track(20, 30);
        await sleep(300);
        tell(telemetry.status().reason);`,
    });
    recorder.answer = ({ path }) => {
      if (path === "/v1/batch")
        writeFileSync(join(stateDir, "receipts.ndjson"), receipt("no"), { flag: "a" });
      return undefined;
    };
    while (recorder.kept.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    child.say("no");
    await child.tells("stored_no");
    expect(await child.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 10));
    expect(readdirSync(stateDir)).toEqual(["receipts.ndjson"]);
  });
});
