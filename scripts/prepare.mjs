// Prepares what every root command needs: a supported Node, the locked dependencies and the built packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a program in this terminal. If it fails, this process exits with its status, or 1 after a signal. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The path of a tool that is installed from the lockfile. */
export function tool(name) {
  return join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);
}

export function prepare() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Candor needs Node 20.19 or newer; this is ${process.version}.`);
    process.exit(1);
  }
  install();
  build();
}

/** Installs from the lockfile, unless that was already done for the same lockfile and Node. */
function install() {
  const stampFile = join(root, "node_modules", ".candor-installed");
  const lock = readFileSync(join(root, "package-lock.json"));
  const stamp = createHash("sha256").update(lock).update(process.versions.modules).digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.error("Installing dependencies (once) ...");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(stampFile, stamp);
}

/** Builds the packages that the compiler finds stale, then bundles the browser SDK. */
function build() {
  run(tool("tsc"), ["--build"]);
  run(process.execPath, [join(root, "scripts", "build-browser.mjs"), "--quiet"]);
}
