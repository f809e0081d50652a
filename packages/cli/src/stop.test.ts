import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, test } from "vitest";
import { awaitNpmGone, awaitStop, isNpmForeground } from "./stop.ts";

function hold() {
  const signals = new EventEmitter();
  const exits: number[] = [];
  const clock = { nowMs: 1000 };
  const stopped = awaitStop({ signals, now: () => clock.nowMs, exit: (code) => exits.push(code) });
  return { signals, exits, clock, stopped };
}

test.each(["SIGINT", "SIGTERM"])("%s asks for an orderly end", async (signal) => {
  const { signals, exits, stopped } = hold();
  signals.emit(signal);
  await stopped;
  expect(exits).toEqual([]);
});

test("a Ctrl-C that npm passes on again counts once", async () => {
  const { signals, exits, clock, stopped } = hold();
  signals.emit("SIGINT");
  clock.nowMs += 100;
  signals.emit("SIGINT");
  signals.emit("SIGTERM");
  await stopped;
  expect(exits).toEqual([]);
});

test("a second Ctrl-C ends the process at once, with the exit code for an interrupt", async () => {
  const { signals, exits, clock, stopped } = hold();
  signals.emit("SIGINT");
  await stopped;
  clock.nowMs += 1000;
  signals.emit("SIGINT");
  expect(exits).toEqual([130]);
});

it.each([
  ["candor", true],
  ["candor start", true],
  ["'candor' start", true],
  ["node_modules/.bin/candor start", true],
  ["node packages/cli/bin/candor.js start", true],
  ["npm run build && candor start", true],
  ["candor start 2>&1 | tee log", true],
  ["candor start >out 2>&1", true],
  ["candor start &", false],
  ["nohup candor start > out 2>&1 &", false],
  ["setsid candor start", false],
  ["(candor start &) && echo started", false],
  ["./setup.sh", false],
  ["node candor-setup.js", false],
  [undefined, false],
])("npm's script %s runs candor in the foreground: %s", (script, isForeground) => {
  expect(isNpmForeground(script)).toBe(isForeground);
});

it.each<[string, string | undefined, readonly number[], boolean]>([
  ["npm has ended", "candor", [500, 500, 1], true],
  ["npm has ended and another process adopts orphans", "candor", [500, 77], true],
  ["npm keeps running", "candor", [500, 500, 500], false],
  ["a shell that is not npm's has ended", undefined, [500, 1], false],
  ["the process was an orphan from the start", "candor", [1, 1], false],
])("when %s", async (_what, script, parents, isGone) => {
  const ids = [...parents];
  const parentId = (): number => (ids.length > 1 ? ids.shift() : ids[0]) ?? 1;
  const gone = awaitNpmGone({ script, parentId, watchMs: 1 }).then(() => true);
  expect(await Promise.race([gone, sleep(100, false)])).toBe(isGone);
});
