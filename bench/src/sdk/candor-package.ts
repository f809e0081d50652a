import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** @candor/node as a product installs it: one folder. What is measured is what is installed, as with the peers. */
export const CANDOR_FOLDER = join(ROOT, "packages/node/packed");

/** Makes that folder, of what is built. */
export function packCandor(): void {
  const script = join(ROOT, "scripts/pack-node.mjs");
  execFileSync(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
}
