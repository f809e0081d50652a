import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";

const DIST = new URL("../../dist/silence/assert-silent.js", import.meta.url);
const dir = mkdtempSync(join(tmpdir(), "candor-silent-rig-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/**
 * The modules of a product, as its test loads them in plain Node. Each creates a file and opens a connection.
 */
const MODULES = {
  "named.mjs": `import { writeFileSync } from "node:fs"; import { connect } from "node:net";
    export const run = (file) => { writeFileSync(file, ""); connect(9, "127.0.0.1").on("error", () => {}); };`,
  "whole.cjs": `const fs = require("fs"); const net = require("net");
    exports.run = (file) => { fs.writeFileSync(file, ""); net.connect(9, "127.0.0.1").on("error", () => {}); };`,
  "promised.mjs": `import { writeFile } from "node:fs/promises"; import { get } from "node:http";
    export const run = async (file) => { await writeFile(file, ""); get("http://127.0.0.1:9").on("error", () => {}); };`,
};

it("reports what a product does in plain Node, however it imports modules, and then lets the process end", async () => {
  for (const [name, text] of Object.entries(MODULES)) writeFileSync(join(dir, name), text);
  const imports = Object.keys(MODULES).map((name, n) => `import * as m${n} from "./${name}";`);
  const program = `
    ${imports.join("\n")}
    import { assertSilent } from ${JSON.stringify(DIST.href)};
    const all = {};
    for (const [n, { run }] of Object.entries([m0, m1, m2])) {
      const file = ${JSON.stringify(dir)} + "/made-" + n;
      const error = await assertSilent(() => run(file), { settleMs: 50 }).catch((thrown) => thrown);
      all[n] = error.happenings.map(({ kind, target, at }) => [kind, target, at?.replace(/:\\d+:\\d+$/, "")]);
    }
    console.log(JSON.stringify(all));`;
  writeFileSync(join(dir, "test.mjs"), program);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(dir, "test.mjs")], {
    timeout: 20_000,
  });
  const expected = Object.keys(MODULES).map((name, n) => [
    ["write", join(dir, `made-${n}`), join(dir, name)],
    ["connect", "127.0.0.1:9", join(dir, name)],
  ]);
  expect({ all: JSON.parse(stdout), stderr }).toEqual({ all: { ...expected }, stderr: "" });
});
