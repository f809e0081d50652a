import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { awaitStop } from "./stop-signal.ts";

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

test("one Ctrl-C that arrives twice, by way of npm too, is one", async () => {
  const { signals, exits, clock, stopped } = hold();
  signals.emit("SIGINT");
  clock.nowMs += 100;
  signals.emit("SIGINT");
  signals.emit("SIGTERM");
  await stopped;
  expect(exits).toEqual([]);
});

test("a second Ctrl-C ends at once, with the code of an interrupted process", async () => {
  const { signals, exits, clock, stopped } = hold();
  signals.emit("SIGINT");
  await stopped;
  clock.nowMs += 1000;
  signals.emit("SIGINT");
  expect(exits).toEqual([130]);
});
