/** Writes what a command exports: to standard output, or to a file that appears only once it is whole. */
import { open, rename, rm } from "node:fs/promises";
import { causeOf } from "@candor/server";
import { print } from "./terminal.ts";

export interface Output {
  /** Resolves when more can be written. */
  write(bytes: string | Uint8Array): Promise<void>;
}

/** A file that could not be written. The message says which and why. */
export class FileUnwritable extends Error {}

/**
 * Runs a command that writes. A file is written beside its name (`FILE.part`), for its owner alone, and takes its name
 * when the command has succeeded, in the place of an older one. If the command fails, what was written is deleted.
 * @throws FileUnwritable, and what the command throws
 */
export async function withOutput<Value>(
  file: string | undefined,
  command: (output: Output) => Promise<Value>,
): Promise<Value> {
  if (file === undefined) return command({ write: print });
  const part = `${file}.part`;
  const orUnwritable = (error: unknown): never => {
    throw new FileUnwritable(`${file} cannot be written (${causeOf(error)}). Name another file.`);
  };
  const handle = await open(part, "w", 0o600).catch(orUnwritable);
  try {
    const value = await command({ write: (bytes) => handle.appendFile(bytes).catch(orUnwritable) });
    await handle.sync().catch(orUnwritable);
    await handle.close();
    await rename(part, file).catch(orUnwritable);
    return value;
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
