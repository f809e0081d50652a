// `npm run image`: stages what a running collector needs, with its locked dependencies, and builds the image
// `candor`. `npm run image -- --stage FOLDER` only stages. Except for pulling the base image, no network is
// needed.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { prepare, root, run } from "./prepare.mjs";

const { values } = parseArgs({
  options: { stage: { type: "string" }, tag: { type: "string", default: "candor" } },
});
prepare();
const folder = values.stage ?? mkdtempSync(join(tmpdir(), "candor-image-"));
try {
  stage(folder);
  if (values.stage === undefined) run("docker", ["build", "--tag", values.tag, folder]);
} finally {
  if (values.stage === undefined) rmSync(folder, { recursive: true });
}

/** Copies the built packages and the dependencies that the command `candor` has in production. */
function stage(to) {
  const listed = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable", "--workspace", "candor"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const paths = listed.split("\n").filter((path) => path !== "" && path !== root);
  for (const path of new Set(paths)) {
    cpSync(path, join(to, relative(root, path)), { recursive: true, verbatimSymlinks: true });
    const own = realpathSync(path); // our packages are links in node_modules
    if (own === path) continue;
    for (const part of ["package.json", "dist", "bin", "sql"].filter((name) => existsSync(join(own, name))))
      cpSync(join(own, part), join(to, relative(root, own), part), { recursive: true });
  }
  for (const part of ["plans", "package.json", "LICENSE", "Dockerfile"])
    cpSync(join(root, part), join(to, part), { recursive: true });
}
