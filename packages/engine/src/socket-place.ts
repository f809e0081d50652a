/** Chooses the path of the engine's socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The longest path of a Unix socket, in bytes: sun_path without its NUL. */
const MAX_SOCKET_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

export interface SocketPlace {
  path: string;
  /** Removes the socket, and also its folder if that was created for the socket. */
  remove(): void;
}

/**
 * Returns `<dataDir>/engine.sock` or, if that path is too long, a path in a new folder below the system's
 * temporary folder, which only this user can enter.
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
