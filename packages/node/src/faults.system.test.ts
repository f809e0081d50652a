// @module-tag root
// @module-tag mounts
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type NameReply, startNameServer } from "./http/rig/name-server.ts";
import {
  eventually,
  makeRigFolder,
  numbersKept,
  QUIET,
  range,
  readDelivery,
  startChild,
} from "./rig/child.ts";
import { SWITCH_OFFERED } from "./rig/in-process.ts";
import { withOwnEtc, withReadOnly } from "./rig/own-mounts.ts";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const PATH = process.env.PATH ?? "";
const ON = { PATH, ...SWITCH_OFFERED };

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.splice(0)) await end();
});
let recorder: Recorder;
beforeEach(async () => {
  recorder = await startRecorder();
  ends.push(recorder.close);
});

it("a collector whose name cannot be resolved gets everything once it can be", async () => {
  let reply: NameReply = "silent";
  const names = await startNameServer((_name, type) => (type === "A" ? reply : "nxdomain"));
  ends.push(names.close);
  const [server = ""] = names.createResolver().getServers();
  const stateDir = join(makeRigFolder(), "telemetry");
  const child = startChild({
    stateDir,
    host: recorder.url.replace("127.0.0.1", "collector.invalid"),
    speed: 20,
    env: ON,
    under: withOwnEtc({ "resolv.conf": `nameserver ${server}\n` }),
    program: 'for (let n = 0; n < 200; n += 10) { track(n, n + 10); await sleep(20); } await hear("end");',
  });
  await eventually(() => readDelivery(stateDir).lastFault === "dns");
  for (const bad of ["servfail", "nxdomain"] as const) {
    reply = bad;
    const before = names.queries.length;
    await eventually(() => names.queries.length > before + 6);
  }
  expect(recorder.requests).toEqual([]);
  reply = ["127.0.0.1"];
  await eventually(() => numbersKept(recorder).length === 200);
  child.say("end");
  expect(await child.ended).toEqual(QUIET);
  expect(recorder.kept).toHaveLength(200);
  expect(new Set(names.queries)).toEqual(new Set(["A collector.invalid", "AAAA collector.invalid"]));
});

describe("a full disk", () => {
  const disk = join(makeRigFolder(), "disk");
  const filler = join(disk, "filler");
  mkdirSync(disk);
  afterAll(() => execFileSync("umount", [disk]));

  it("turns telemetry off silently, and on again when there is space; nothing is sent twice", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    const stateDir = join(disk, "telemetry");
    const child = startChild({
      stateDir,
      host: recorder.url,
      speed: 20,
      program: `
        track(0, 100);
        await hear("full");
        let n = 100;
        for (; telemetry.status().reason !== "state_unwritable"; n += 10) { track(n, n + 10); await sleep(25); }
        const first = n;
        tell("off");
        await hear("room");
        for (; telemetry.status().state !== "on"; n += 10) { track(n, n + 10); await sleep(25); }
        const back = n;
        track(back, back + 100);
        tell({ first, back });
        await hear("end");`,
    });
    await eventually(() => numbersKept(recorder).length === 100);
    expect(() => writeFileSync(filler, Buffer.alloc(3_000_000))).toThrow("ENOSPC");
    child.say("full");
    await child.tells("off");
    rmSync(filler);
    child.say("room");
    await eventually(() => child.told.length === 2);
    const { first, back } = child.told[1] as { first: number; back: number };
    await eventually(() => numbersKept(recorder).includes(back + 99));
    child.say("end");
    expect(await child.ended).toEqual(QUIET);
    const kept = numbersKept(recorder);
    expect(kept.slice(0, 100)).toEqual(range(0, 100));
    expect(kept.slice(-100)).toEqual(range(back, back + 100));
    expect(new Set(kept).size).toBe(kept.length);
    expect(back).toBeGreaterThan(first); // telemetry was off for a while, and lost those events
  });
});

describe("a state folder that cannot be written to", () => {
  it("turns telemetry off silently", async () => {
    const folder = makeRigFolder();
    const child = startChild({
      stateDir: join(folder, "telemetry"),
      host: recorder.url,
      env: ON,
      under: withReadOnly(folder),
      program: `
        telemetry.keepAlive({ healthy: () => true });
        for (let n = 0; n < 100; n += 10) { track(n, n + 10); await sleep(20); }
        tell([telemetry.status().reason, await telemetry.flush()]);`,
    });
    await child.tells(["state_unwritable", true]);
    expect(await child.ended).toEqual(QUIET);
    expect(readdirSync(folder)).toEqual([]);
    expect(recorder.requests).toEqual([]);
  });

  it("that contains messages is left unchanged, and they are sent when it can be written to again", async () => {
    const folder = makeRigFolder();
    const stateDir = join(folder, "telemetry");
    const at = { stateDir, host: recorder.url, env: ON };
    expect(await startChild({ ...at, program: "track(0, 50);" }).ended).toEqual(QUIET);
    const tracksMore = "track(50, 60); await sleep(500); tell(telemetry.status().reason);";
    const readOnly = startChild({ ...at, under: withReadOnly(folder), program: tracksMore });
    await readOnly.tells("state_unwritable");
    expect(await readOnly.ended).toEqual(QUIET);
    expect(recorder.requests).toEqual([]);
    const denied = startChild({
      ...at,
      env: { ...ON, DO_NOT_TRACK: "1" },
      under: withReadOnly(folder),
      program: tracksMore,
    });
    await denied.tells("environment_do_not_track");
    expect(await denied.ended).toEqual(QUIET);
    const writable = startChild({ ...at, program: "tell(await telemetry.flush());" });
    await writable.tells(true);
    expect(await writable.ended).toEqual(QUIET);
    expect(numbersKept(recorder)).toEqual(range(0, 50));
  });
});
