/** Deletes what a refusal covers, and nothing else. */

import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { type ConsentGate, isRefusal } from "./consent/gate.ts";
import { scopeOfName } from "./scope.ts";
import { namesIn, ownDraftsIn, readObject, removeFile, type StateFolder } from "./state/state-folder.ts";

/**
 * Deletes the messages of each refused scope. If the server is refused and no messages of the client need the
 * ids, deletes all other files of the SDK too, except the stored answers. Other programs' files stay, in case
 * the product passed a folder that it uses itself. Never throws: a file that cannot be deleted stays.
 */
export function discardRefused(folder: StateFolder, gate: ConsentGate): void {
  for (const name of namesIn(folder.outbox)) {
    const scope = scopeOfName(name);
    if (scope !== undefined && isRefusal(gate.check(scope))) removeFile(join(folder.outbox, name));
  }
  if (!gate.isRefused("server") || needsIdentity(folder, gate)) return;
  for (const [path, field] of Object.entries(OWN_FIELDS(folder))) {
    if (readObject(path)?.[field] !== undefined) removeFile(path);
  }
  for (const path of ownDraftsIn(folder)) removeFile(path);
  try {
    rmdirSync(folder.outbox);
  } catch {
    // The folder does not exist or is not empty.
  }
}

/**
 * Whether messages of the client may be sent, or wait to be sent, under the folder's ids. False if the client
 * is refused.
 */
function needsIdentity({ outbox }: StateFolder, gate: ConsentGate): boolean {
  if (gate.isRefused("client")) return false;
  return gate.allows("client") || namesIn(outbox).some((name) => scopeOfName(name)?.source === "client");
}

/**
 * The files to delete once nothing needs the ids, each with a field that shows that the SDK or its installer
 * wrote it.
 */
const OWN_FIELDS = (folder: StateFolder): Readonly<Record<string, string>> => ({
  [folder.instance]: "hashSecret",
  [folder.plan]: "planHash",
  [folder.install]: "installId",
  [folder.keepAlive]: "boot",
  [folder.delivery]: "overflowed",
  [folder.lease]: "untilMs",
  [folder.keepAliveLease]: "untilMs",
});
