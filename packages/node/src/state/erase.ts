/** Deletes what a refusal covers, and nothing else. */

import { rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Permit, Standing } from "../consent/standing.ts";
import { SOURCES, sourceOfName } from "../outbox/outbox-name.ts";
import { namesIn, ownDraftsIn, readObject, removeFile, type StateFolder } from "./state-folder.ts";

/**
 * Deletes the messages of each source that is refused; once the server is, and nothing of the client is left that needs them,
 * the ids and keys too. The receipts stay, and what is not ours, should the product have given a folder that it uses itself.
 * Never throws: what cannot be deleted stays.
 */
export function discardRefused(folder: StateFolder, standing: Pick<Standing, "permitOf">): void {
  const refused = SOURCES.filter((source) => standing.permitOf(source) === "discard");
  for (const name of namesIn(folder.outbox)) {
    const source = sourceOfName(name);
    if (source !== undefined && refused.includes(source)) removeFile(join(folder.outbox, name));
  }
  if (!refused.includes("server") || needsIdentity(folder, standing.permitOf("client"))) return;
  for (const [path, field] of Object.entries(OWN_FIELDS(folder))) {
    if (readObject(path)?.[field] !== undefined) removeFile(path);
  }
  for (const path of ownDraftsIn(folder)) removeFile(path);
  try {
    rmdirSync(folder.outbox);
  } catch {
    // There is none, or something is in it.
  }
}

/** Whether messages of the client are sent, or wait, under the ids of the folder. */
function needsIdentity({ outbox }: StateFolder, ofClient: Permit): boolean {
  if (ofClient !== "keep") return ofClient === "send";
  return namesIn(outbox).some((name) => sourceOfName(name) === "client");
}

/** Each file, and a field by which it is known as ours. */
const OWN_FIELDS = (folder: StateFolder): Readonly<Record<string, string>> => ({
  [folder.instance]: "hashSecret",
  [folder.plan]: "planHash",
  [folder.keepAlive]: "boot",
  [folder.delivery]: "overflowed",
  [folder.lease]: "untilMs",
  [folder.keepAliveLease]: "untilMs",
});
