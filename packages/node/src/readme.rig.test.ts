import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { type Recorder, startRecorder } from "./rig/recorder.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const README = readFileSync(join(ROOT, "packages/node/README.md"), "utf8");
/** A folder inside the repository, because the example imports the package by its name. */
const dir = mkdtempSync(join(ROOT, "node_modules", ".candor-node-readme-"));
let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(async () => {
  await recorder.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Returns the README's code blocks in a language, in order. */
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

/** Writes the product as it is printed, except for the collector's URL and the state folder. */
function writeProduct(name: string, text: string, stateDir: string): void {
  const ours = text
    .replace("https://telemetry.example.org", recorder.url)
    .replace("/data/telemetry", stateDir);
  writeFileSync(join(dir, name), ours);
}

const withoutId = (text: string): string => text.replace(/[0-9a-f-]{36}/, "ID");

it("works step by step as it says, pasted as printed", async () => {
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

it("works the same in CommonJS, started as printed", async () => {
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

/** A product that protects the inspector with a login by header, as in the README. */
const PRODUCT_WITH_LOGIN = (inspector: string): string => `
import express from "express";
import { createTelemetry } from "@candor/node";
import { plan } from "./plan.mjs";
const telemetry = createTelemetry({
  plan, source: "server", writeKey: "k", host: "http://127.0.0.1:9", stateDir: "telemetry-with-login",
});
telemetry.track("Recipe Imported", { format: "web" });
const app = express();
function requireAdmin(request, response, next) {
  if (request.headers.authorization === "Bearer secret") next();
  else response.sendStatus(401);
}
${inspector}
const server = app.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
`;

it("serves the inspector to curl, and through a one-time link to a browser, behind a login by header", {
  tags: ["curl"],
}, async () => {
  const [plan = ""] = blocksOf("yaml");
  const [generate = "", curls = ""] = blocksOf("sh");
  const inspector = blocksOf("js").find((block) => block.includes("oneTimeLink")) ?? "";
  writeFileSync(join(dir, "plan.yaml"), plan);
  await run(generate);
  writeFileSync(join(dir, "login.mjs"), PRODUCT_WITH_LOGIN(inspector));
  const env = { PATH: process.env.PATH, KITCHEN_DISABLE_TELEMETRY: "false" };
  const child = spawn(process.execPath, ["login.mjs"], { cwd: dir, env });
  onTestFinished(() => void child.kill());
  const [line] = await once(child.stdout, "data");
  const settings = { PRODUCT: String(line).trim(), TOKEN: "secret" };
  const [status = "", messages = "", turnOff = ""] = curls.split(/\n(?=curl)/);
  expect(JSON.parse(await run(status, settings))).toMatchObject({ state: "on" });
  expect(JSON.parse(await run(messages, settings))).toMatchObject({
    messages: [{ message: { event: "Recipe Imported" } }],
  });
  const jar = `-sS -b jar -c jar`;
  const page = `curl ${jar} -o /dev/null -w '%{http_code}\n' "$PRODUCT/admin/telemetry/"`;
  const made = await run(
    `curl -sS -X POST -H "Authorization: Bearer $TOKEN" "$PRODUCT/admin/telemetry-link"`,
    settings,
  );
  const { url } = JSON.parse(made);
  expect(await run(page, settings)).toBe("401\n");
  const opened = await run(`curl ${jar} -L "$PRODUCT${url}"`, settings);
  expect(opened).toContain("<h1>Telemetry of Kitchen</h1>");
  expect(await run(page, settings)).toBe("200\n");
  expect(await run(`curl -sS -o /dev/null -w '%{http_code}\n' "$PRODUCT${url}"`, settings)).toBe("401\n");
  // The cookie is limited to the inspector's path.
  expect(readFileSync(join(dir, "jar"), "utf8")).toMatch(
    /^#HttpOnly_127\.0\.0\.1\tFALSE\t\/admin\/telemetry\/?\tFALSE\t/m,
  );
  expect(JSON.parse(await run(turnOff, settings))).toMatchObject({ state: "off" });
});
