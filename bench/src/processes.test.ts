import { spawn } from "node:child_process";
import { once } from "node:events";
import { getPriority } from "node:os";
import { expect, test } from "vitest";
import { cpuMs, descendants, hasMapped, isAlive, residentBytes, threads } from "./processes.ts";

test("a child process is found and measured, and no longer alive once it is killed", async () => {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
  await once(child.stdout, "data");
  const pid = child.pid ?? -1;
  expect(descendants(process.pid)).toContain(pid);
  expect(isAlive(pid)).toBe(true);
  expect(residentBytes(pid)).toBeGreaterThan(10e6);
  expect(cpuMs(pid)).toBeLessThan(60_000);
  const main = threads(pid).filter(({ isMain }) => isMain);
  expect(main).toHaveLength(1);
  expect(main[0]?.cpuMs).toBeGreaterThan(0);
  expect(main[0]?.niceness).toBe(getPriority(pid));
  expect(hasMapped(pid, "/node")).toBe(true);
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  expect(isAlive(pid)).toBe(false);
  expect(residentBytes(pid)).toBe(0);
  expect(threads(pid)).toEqual([]);
});
