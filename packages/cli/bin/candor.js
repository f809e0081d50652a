#!/usr/bin/env node
// Committed as it is, so that npm can link it before anything is built. Plain enough for a Node that is far too old.
import { existsSync } from "node:fs";

const built = new URL("../dist/main.js", import.meta.url);
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Candor needs Node 20.19 or newer; this is Node ${process.versions.node}.`);
} else if (!existsSync(built)) {
  fail("Candor is not built yet. Run `npm run build` first.");
} else {
  void import(built.href).then((main) => main.run(process.argv.slice(2)));
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
