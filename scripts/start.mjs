// Builds what is not built, then starts the collector: `npm start`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./prepare.mjs";

prepare();
// In this process, so that Ctrl-C and the exit status are the collector's own.
const candor = join(root, "packages", "cli", "bin", "candor.js");
process.argv = [process.argv[0], candor, "start", ...process.argv.slice(2)];
await import(pathToFileURL(candor).href);
