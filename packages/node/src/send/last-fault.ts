import { statSync } from "node:fs";
import { readDelivery } from "./delivery.ts";

/**
 * Why the last try to send failed, as delivery.json says it of all processes on the folder; undefined when it did not. The
 * file is read again only when another one lies there. Never throws.
 */
export function watchLastFault(file: string): () => string | undefined {
  let signature = "";
  let lastFault: string | undefined;
  return () => {
    const now = signatureOf(file);
    if (now !== signature) lastFault = now === "" ? undefined : readDelivery(file).lastFault;
    signature = now;
    return lastFault;
  };
}

/** Empty without a file. It is always replaced, never written to. */
function signatureOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? "" : `${found.ino} ${found.mtimeMs} ${found.size}`;
  } catch {
    return "";
  }
}
