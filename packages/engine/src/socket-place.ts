/** Chooses where the engine's socket is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Longest path of a unix socket, in bytes (sun_path without its NUL; 103 on macOS). */
const MAX_SOCKET_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

export interface SocketPlace {
  path: string;
  /** Removes the socket, and the folder if it was made for it. */
  remove(): void;
}

/**
 * `<dataDir>/engine.sock`, or if that is too long, a socket in a fresh folder of mode 0700 in the system's temporary
 * folder.
 */
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
