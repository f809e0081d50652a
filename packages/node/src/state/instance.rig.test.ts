import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderForTest } from "../rig/in-process.ts";

const MODULE = new URL("../../dist/state/instance.js", import.meta.url).href;
const PROCESSES = 6;
const FILES = 200;

/**
 * Opens the instances of `FILES` files in a child process, in order. All processes open each one at the same
 * moment.
 */
async function openAll(dir: string, atMs: number): Promise<string> {
  const program = `
    import { openInstance } from ${JSON.stringify(MODULE)};
    const ids = [];
    for (let n = 0; n < ${FILES}; n += 1) {
      while (Date.now() < ${atMs} + n * 5) {}
      ids.push(openInstance(${JSON.stringify(`${dir}/`)} + n + ".json", Date.now()).instanceId);
    }
    console.log(ids.join());`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout) output += chunk;
  return output;
}

it("an instance is the same for all processes that create it at the same moment", async () => {
  const dir = join(makeFolderForTest());
  const atMs = Date.now() + 1000;
  const outputs = await Promise.all(Array.from({ length: PROCESSES }, () => openAll(dir, atMs)));
  expect(outputs[0]?.split(",")).toHaveLength(FILES);
  expect(new Set(outputs).size).toBe(1);
});

it("is created whatever the garbage collector does meanwhile: exporting a key once hung the process forever", async () => {
  const program = `
    import { makeEphemeralInstance } from ${JSON.stringify(MODULE)};
    for (let n = 0; n < 3000; n += 1) makeEphemeralInstance(0);`;
  const args = ["--max-semi-space-size=1", "--input-type=module", "-e", program];
  const child = spawn(process.execPath, args, { stdio: "inherit", timeout: 30_000, killSignal: "SIGKILL" });
  expect(await once(child, "close")).toEqual([0, null]);
});
