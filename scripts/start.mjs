// `npm start`: builds what is stale, then starts the collector. `npm start -- --demo` also plays the demo against it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./prepare.mjs";

prepare();
const args = process.argv.slice(2);
const others = args.filter((arg) => arg !== "--demo");
if (others.length < args.length) playDemo();
// The collector runs in this process, so that it receives Ctrl-C and sets the exit status itself.
const candor = join(root, "packages", "cli", "bin", "candor.js");
process.argv = [process.argv[0], candor, "start", ...others];
await import(pathToFileURL(candor).href);

/**
 * Plays the demo in a separate process, which waits for the collector. Ctrl-C ends both. When the demo ends,
 * the collector keeps running.
 */
function playDemo() {
  const main = join(root, "examples", "appsmith", "demo", "dist", "main.js");
  const demo = spawn(process.execPath, [main, "--wait"], { stdio: "inherit" });
  process.on("exit", () => demo.kill());
}
