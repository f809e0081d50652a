import { existsSync } from "node:fs";
import { resolve } from "node:path";
import {
  type Instance,
  openStateFolder,
  readDelivery,
  readInstance,
  type StateFolder,
} from "@candor/node/state-folder";
import { toReachable } from "./address.ts";
import { namesCollector, readSettings } from "./environment.ts";
import { explainUnreadable } from "./inspect-folder.ts";

/** The instance of a state folder, which can ask a collector for itself; or why there is none, as a sentence. */
export type OwnInstance =
  | { readonly instance: Instance; readonly folder: StateFolder; readonly fault?: undefined }
  | { readonly fault: string };

/** Reads who the instance of a folder is. */
export async function readInstanceOrExplain(named: string): Promise<OwnInstance> {
  const dir = resolve(named);
  const fault = await explainUnreadable(dir);
  if (fault !== undefined) return { fault };
  const folder = openStateFolder(dir);
  const instance = readInstance(folder.instance);
  if (instance !== undefined && canSign(instance)) return { instance, folder };
  const isThere = existsSync(folder.instance);
  return {
    fault: isThere
      ? `${folder.instance} is not of a form that this version of candor knows, so there is nobody to ask as.`
      : `${dir} holds no instance, so there is nobody to ask as. What an installer sent from there carries no instance's id.`,
  };
}

/** Where to ask: at the address that was given, else CANDOR_URL, else where the instance itself sends to. */
export function collectorOf(folder: StateFolder, given: string | undefined): string {
  if (given !== undefined) return given;
  const { collector = "" } = readDelivery(folder.delivery);
  const isKnown = URL.canParse(collector) && /^https?:$/.test(new URL(collector).protocol);
  return toReachable(isKnown && !namesCollector() ? collector : readSettings().url);
}

/** Not with a key that somebody has damaged. */
function canSign(instance: Instance): boolean {
  try {
    return instance.sign("") !== "";
  } catch {
    return false;
  }
}
