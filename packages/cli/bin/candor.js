#!/usr/bin/env node
// Starts the command. Not built from TypeScript, so that npm can link it before the build. Uses only syntax that old
// versions of Node can parse, so that they can say that they are too old.
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
