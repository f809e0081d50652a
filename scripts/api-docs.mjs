// Makes docs/api/, the API reference of @candor/node, from the package's docstrings. typedoc needs a
// TypeScript compiler that is written in JavaScript, but Candor is built with the native one. So this
// downloads typedoc and such a compiler from npm, once.
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
