// Makes docs/api/, the reference of the public package, from its docstrings. typedoc needs a TypeScript that is written in
// JavaScript, which is not the one that builds Candor, so both are fetched from npm once.
import { join } from "node:path";
import { fetchTypedoc } from "./npm-cache.mjs";
import { root, run } from "./prepare.mjs";

const ENTRIES = ["src/index.ts", "src/silence/assert-silent.ts", "src/operator/index.ts"];
run(
  process.execPath,
  [
    fetchTypedoc(),
    ...["--tsconfig", "tsconfig.json", "--skipErrorChecking", "--logLevel", "Error", "--readme", "README.md"],
    ...["--name", "@candor/node", "--disableSources", "--out", join(root, "docs/api")],
    ...ENTRIES.flatMap((entry) => ["--entryPoints", entry]),
  ],
  { cwd: join(root, "packages/node") },
);
