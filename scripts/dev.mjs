// `npm run dev`: builds on every change, and restarts the collector with its pages after each build without
// errors. A changed plan file needs no restart, because the collector rereads the file itself.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root, tool } from "./prepare.mjs";

prepare();
const hasGroups = process.platform !== "win32";
// In a process group of its own, because on Node before 22.15 `tsc` is a wrapper that does not forward signals.
const compiler = spawn(tool("tsc"), ["--build", "--watch", "--preserveWatchOutput"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
  detached: hasGroups,
});
let collector;
let isStopping = false;

compiler.stdout.setEncoding("utf8").on("data", (text) => {
  process.stdout.write(text);
  if (text.includes("Found 0 errors")) restart();
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    if (hasGroups && compiler.exitCode === null) process.kill(-compiler.pid);
    else compiler.kill();
    collector?.kill(signal);
  });
}

/** Stops the running collector, which frees its port and folder, then starts the new build. */
function restart() {
  if (collector === undefined) start();
  else collector.kill("SIGTERM");
}

function start() {
  const candor = join(root, "packages/cli/bin/candor.js");
  const child = spawn(process.execPath, [candor, "start"], { stdio: "inherit" });
  collector = child;
  child.once("exit", (code, signal) => {
    collector = undefined;
    const isRestart = code === 0 && signal === null && !isStopping;
    if (isRestart) start();
    else if (!isStopping) console.error("The collector ended. It starts again after the next change.");
  });
}
