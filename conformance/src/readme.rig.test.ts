import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CandorProcess, startProcess } from "../../packages/server/src/rig/candor-process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** A folder inside the repository, because the example imports the package by its name. */
const dir = mkdtempSync(join(ROOT, "node_modules", ".candor-readme-"));
const dataDir = join(dir, "data");
let candor: CandorProcess;

beforeAll(async () => {
  candor = await startProcess({ CANDOR_DATA_DIR: dataDir });
});

afterAll(async () => {
  await candor.kill();
  rmSync(dir, { recursive: true, force: true });
});

/** The only shell block of a page that begins with the given words. */
function readBlock(page: string, firstWords: string): string {
  const blocks = [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```sh\n(.*?)^```$/gms)];
  const found = blocks.map(([, text = ""]) => text).filter((text) => text.startsWith(firstWords));
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

async function runInShell(
  text: string,
  cwd = dir,
): Promise<{ readonly status: unknown; readonly output: string }> {
  const shell = spawn("sh", ["-eu"], {
    cwd,
    env: { PATH: process.env.PATH, HOME: dir, CANDOR_DATA_DIR: dataDir, CANDOR_URL: candor.url },
  });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (chunk) => (output += chunk));
  shell.stdin.end(text);
  const [status] = await once(shell, "close");
  return { status, output };
}

it("sends from a product's server as the guide says, pasted as it is printed", async () => {
  const { status, output } = await runInShell(readBlock("docs/guides/first-events.md", "export WRITE_KEY="));
  expect(output).toContain("state: 'on'");
  expect(output).toContain("'properties.* undeclared': 1");
  expect(output).toMatch(/\{"type":"track","event":"execute_ACTION_TRIGGERED",.*"userId":"[0-9a-f]{64}"/);
  expect(output).not.toMatch(/SELECT 1"|"ada"/);
  expect(output).toContain("reason: 'environment_disable'");
  expect(output).toMatch(/\nreceipts\.ndjson\n$/);
  expect(status).toBe(0);
});

it("README's product is the guide's", () => {
  const [, product = ""] = /^```js\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  expect(product).toContain("createTelemetry");
  expect(readBlock("docs/guides/first-events.md", "export WRITE_KEY=")).toContain(product);
});

it("tells of an install as the kit's README says, pasted as it is printed", {
  tags: ["posix-tools", "curl"],
}, async () => {
  const [install, look] = ["npx candor generate sh", "npx candor inspect"].map((words) =>
    readBlock("packages/installer/README.md", words),
  );
  const { status, output } = await runInShell(
    `${install}${look}`
      .replaceAll("http://127.0.0.1:7226", candor.url)
      .replaceAll("/tmp/", `${dir}/`)
      .replace("command -v docker", "command -v sh"),
    ROOT,
  );
  expect(output).toContain("To send nothing, set APPSMITH_DISABLE_TELEMETRY=true");
  expect(output).toContain("track Installation Started");
  expect(output).toContain("track Installation Success");
  expect(status).toBe(0);
});
