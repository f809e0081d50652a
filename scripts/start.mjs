// `npm start`: builds what is stale, then starts the collector.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./prepare.mjs";

prepare();
// The collector runs in this process, so that it gets Ctrl-C and sets the exit status itself.
const candor = join(root, "packages", "cli", "bin", "candor.js");
process.argv = [process.argv[0], candor, "start", ...process.argv.slice(2)];
await import(pathToFileURL(candor).href);
