import { resolve } from "node:path";
import { explainUnreadable, readFolder } from "./inspect-folder.ts";
import { renderFolder } from "./inspect-text.ts";
import { refuse } from "./refusal.ts";
import { toSafeJson, toSafeText } from "./safe-text.ts";
import { coloursFor, endWithReader, print } from "./terminal.ts";

export interface InspectOptions {
  readonly json?: boolean;
  /** Messages that are shown. */
  readonly limit: number;
}

/** `candor inspect`: what a state folder tells: 0. 2: there is none, or it cannot be read. */
export async function inspect(folder: string, { json = false, limit }: InspectOptions): Promise<number> {
  endWithReader();
  const dir = resolve(folder);
  const fault = await explainUnreadable(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  const report = await readFolder(dir, limit);
  await print(
    json
      ? `${toSafeJson(JSON.stringify(report))}\n`
      : renderFolder(report, coloursFor(process.stdout), Date.now()),
  );
  return 0;
}
