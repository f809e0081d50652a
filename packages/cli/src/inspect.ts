import { resolve } from "node:path";
import { openStateFolder, readInstance } from "@candor/node/state-folder";
import { explainUnreadable, readFolder } from "./inspect-folder.ts";
import { renderFolder } from "./inspect-text.ts";
import { refuse } from "./refusal.ts";
import { toSafeJson, toSafeText } from "./safe-text.ts";
import { coloursFor, endWithReader, print } from "./terminal.ts";
import { readTypedLine } from "./typed-line.ts";

export interface InspectOptions {
  readonly json?: boolean;
  /** Messages that are shown. */
  readonly limit: number;
  /** Prints only the hash of an id read from standard input, as the instance's SDK sends it. */
  readonly hash?: boolean;
}

/** `candor inspect`: what a state folder tells: 0. 2: there is none, or it cannot be read. */
export async function inspect(
  folder: string,
  { json = false, limit, hash = false }: InspectOptions,
): Promise<number> {
  endWithReader();
  const dir = resolve(folder);
  const fault = await explainUnreadable(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  if (hash) return printHash(dir, json);
  const report = await readFolder(dir, limit);
  await print(
    json
      ? `${toSafeJson(JSON.stringify(report))}\n`
      : renderFolder(report, coloursFor(process.stdout), Date.now()),
  );
  return 0;
}

/** The secret never leaves the folder, so this is the only way to find the hash that stands for an id. */
async function printHash(dir: string, json: boolean): Promise<number> {
  const instance = readInstance(openStateFolder(dir).instance);
  if (instance === undefined)
    return refuse(toSafeText(`${dir} holds no instance, so there is no secret to hash with.`));
  const id = await readTypedLine("Id: ");
  if (id === undefined) return refuse("Write one id to standard input, on a line of its own.");
  const hash = instance.keyedHash(id);
  await print(json ? `${JSON.stringify({ hash })}\n` : `${hash}\n`);
  return 0;
}
