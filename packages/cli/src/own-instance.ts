import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Instance, openStateFolder, readInstance, type StateFolder } from "@candor/node/state-folder";
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

/** Not with a key that somebody has damaged. */
function canSign(instance: Instance): boolean {
  try {
    return instance.sign("") !== "";
  } catch {
    return false;
  }
}
