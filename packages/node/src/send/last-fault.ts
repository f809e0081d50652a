import { signatureOf } from "../state/state-folder.ts";
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
    if (now !== signature) lastFault = readDelivery(file).lastFault;
    signature = now;
    return lastFault;
  };
}
