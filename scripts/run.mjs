// Builds what is stale, then runs a built file of this repository: `node scripts/run.mjs FILE [arguments]`.
import { join } from "node:path";
import { prepare, root, run } from "./prepare.mjs";

const [file, ...args] = process.argv.slice(2);
prepare();
run(process.execPath, [join(root, file), ...args]);
