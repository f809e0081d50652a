import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { awaitNpmGone, isNpmForeground } from "./npm-parent.ts";

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
])("of npm's script %s, candor is the command in the foreground: %s", (script, isForeground) => {
  expect(isNpmForeground(script)).toBe(isForeground);
});

it.each<[string, string | undefined, readonly number[], boolean]>([
  ["npm is gone", "candor", [500, 500, 1], true],
  ["npm is gone, and another process collects orphans", "candor", [500, 77], true],
  ["npm stays", "candor", [500, 500, 500], false],
  ["a shell that was no npm's is gone", undefined, [500, 1], false],
  ["there was none from the start", "candor", [1, 1], false],
])("when %s", async (_what, script, parents, isGone) => {
  const ids = [...parents];
  const parentId = (): number => (ids.length > 1 ? ids.shift() : ids[0]) ?? 1;
  const gone = awaitNpmGone({ script, parentId, watchMs: 1 }).then(() => true);
  expect(await Promise.race([gone, sleep(100, false)])).toBe(isGone);
});
