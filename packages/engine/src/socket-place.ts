import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A unix socket's path has room for this many bytes (sun_path less its NUL; macOS has 103). */
const MAX_SOCKET_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

export interface SocketPlace {
  path: string;
  /** Removes the socket, and the folder if it was made for it. */
  remove(): void;
}

/** `<dataDir>/engine.sock`, or one in a fresh folder of mode 0700 under the system's temporary folder if that is too long. */
export function placeSocket(dataDir: string): SocketPlace {
  const own = resolve(dataDir, "engine.sock");
  if (Buffer.byteLength(own) <= MAX_SOCKET_PATH_BYTES) {
    return { path: own, remove: () => rmSync(own, { force: true }) };
  }
  const folder = mkdtempSync(join(tmpdir(), "candor-engine-"));
  return {
    path: join(folder, "engine.sock"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
