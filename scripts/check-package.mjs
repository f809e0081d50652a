// Checks the entry points, module systems and types of @candor/node as published, with publint and attw ("Are
// the types wrong?").
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { prepare, run } from "./prepare.mjs";

const require = createRequire(import.meta.url);
const attw = join(dirname(require.resolve("@arethetypeswrong/cli/package.json")), "dist/index.js");

prepare();
const folder = mkdtempSync(join(tmpdir(), "candor-package-"));
try {
  const packed = join(folder, "packed");
  run(process.execPath, ["scripts/pack-node.mjs", packed], { stdio: ["ignore", "ignore", "inherit"] });
  const packing = ["pack", packed, "--pack-destination", folder, "--json", "--loglevel=error"];
  const [{ filename }] = JSON.parse(execFileSync("npm", packing, { cwd: folder, encoding: "utf8" }));
  const tarball = join(folder, filename);
  const { buffer } = new Uint8Array(readFileSync(tarball));
  const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
  const about = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));
  for (const message of messages) console.error(formatMessage(message, about));
  if (messages.length > 0) process.exitCode = 1;
  run(process.execPath, [attw, tarball, "--format", "table-flipped", "--no-emoji"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
