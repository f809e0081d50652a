// Runs a built file of this repository, built if needed: `node scripts/run.mjs FILE [arguments]`.
import { join } from "node:path";
import { prepare, root, run } from "./prepare.mjs";

const [file, ...args] = process.argv.slice(2);
prepare();
run(process.execPath, [join(root, file), ...args]);
