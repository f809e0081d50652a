import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const README = readFileSync(join(ROOT, "packages/node/README.md"), "utf8");
/** Below the root, because the example imports the package by its name. */
const dir = mkdtempSync(join(ROOT, "node_modules", ".candor-node-readme-"));
let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(async () => {
  await recorder.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The blocks of a language, in their order. */
function blocksOf(language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...README.matchAll(fence)].map(([, text = ""]) => text);
}

async function run(command: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: dir, ...more };
  const child = spawn("sh", ["-euc", command], { cwd: dir, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new Error(output);
  return output;
}

/** The product as it is printed, but for where it sends and what it keeps. */
function writeProduct(name: string, text: string, stateDir: string): void {
  const ours = text
    .replace("https://telemetry.example.org", recorder.url)
    .replace("/data/telemetry", stateDir);
  writeFileSync(join(dir, name), ours);
}

const withoutId = (text: string): string => text.replace(/[0-9a-f-]{36}/, "ID");

it("does step by step what it says, pasted as it is printed", async () => {
  const [plan = ""] = blocksOf("yaml");
  const [generate = ""] = blocksOf("sh");
  const [product = ""] = blocksOf("js");
  const [off = "", on = ""] = blocksOf("text");
  writeFileSync(join(dir, "plan.yaml"), plan);
  await run(generate);
  writeProduct("server.mjs", product, "telemetry");
  expect(await run("node server.mjs")).toBe(off);
  expect(recorder.requests).toEqual([]);
  const printed = await run("node server.mjs", { KITCHEN_DISABLE_TELEMETRY: "false" });
  expect(withoutId(printed)).toBe(withoutId(on));
  expect(recorder.kept).toMatchObject([
    {
      event: "Recipe Imported",
      properties: { format: "web" },
      userId: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});

it("does the same in CommonJS, begun as it is printed", async () => {
  const [plan = ""] = blocksOf("yaml");
  const [product = "", head = ""] = blocksOf("js");
  const [, on = ""] = blocksOf("text");
  const [, generate = ""] = /`(npx candor generate cjs [^`]+)`/.exec(README) ?? [];
  writeFileSync(join(dir, "plan.yaml"), plan);
  await run(generate);
  const rest = product.replace(/^import .*\n/gm, "");
  writeProduct("server.cjs", `${head}(async () => {${rest}})();`, "telemetry-of-commonjs");
  const printed = await run("node server.cjs", { KITCHEN_DISABLE_TELEMETRY: "false" });
  expect(withoutId(printed)).toBe(withoutId(on));
});
