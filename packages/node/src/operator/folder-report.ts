/** Reads a state folder, whether or not its product is running, and explains why it cannot be read. */
import { accessSync, constants, statSync } from "node:fs";
import { type ConsentRecord, latestConsentRecord, readConsentRecords } from "@candor/consent";
import { codeOf } from "@candor/envelope/unknown-value";
import { type FolderStatus, readFolderStatus, SHOWN_SOURCES } from "../inspector/status.ts";
import { readKeepAlive } from "../keep-alive.ts";
import { listOutboxFiles } from "../outbox/outbox-file.ts";
import { countOutbox, type OutboxMessage, type OutboxTotals, readOutboxPage } from "../outbox/outbox-page.ts";
import { type Delivery, readDelivery } from "../send/delivery.ts";
import { POLICY_FILE } from "../settings.ts";
import { readInstance } from "../state/instance.ts";
import { readText } from "../state/plain-file.ts";
import { openStateFolder } from "../state/state-folder.ts";

/** The content of a state folder, without keys or secrets. */
export interface FolderReport {
  readonly dir: string;
  /**
   * The stored answer of each source that has one; undefined if the answers cannot be read, which denies
   * everything.
   */
  readonly answers: readonly ConsentRecord[] | undefined;
  /** Text of the machine's policy file; undefined if there is none, null if it cannot be read. */
  readonly policy: string | undefined | null;
  /**
   * What is sent and what is withheld; undefined if the folder contains no readable plan, for example because
   * telemetry was never on, or was refused.
   */
  readonly status: FolderStatus | undefined;
  readonly instance: { readonly instanceId: string; readonly createdAt: string } | undefined;
  /**
   * Whether there is an instance.json that cannot be read, or has a format that this program does not know.
   */
  readonly isInstanceStrange: boolean;
  readonly lastKeepAliveAt: string | undefined;
  readonly delivery: Delivery;
  /** Whether the SDK has recorded deliveries. An installer records none, and a refusal deletes the record. */
  readonly isDeliveryNoted: boolean;
  readonly outbox: OutboxTotals;
  /** The newest messages, newest first. */
  readonly messages: readonly OutboxMessage[];
}

/**
 * Explains in a sentence why a folder cannot be read; undefined if it can. Without this check, files that the
 * current user may not read would seem absent, as if telemetry were off and nothing had been sent.
 */
export async function explainUnreadable(dir: string): Promise<string | undefined> {
  const fault = explainNoFolder(dir);
  if (fault !== undefined) return fault;
  const { receipts, instance, plan, keepAlive, delivery, outbox } = openStateFolder(dir);
  const files = (await listOutboxFiles(outbox)).map(({ path }) => path);
  for (const path of [receipts, instance, plan, keepAlive, delivery, outbox, ...files]) {
    const cause = findReadFault(path, path === outbox);
    if (cause !== undefined)
      return `${path} cannot be read (${cause}). Ask as the user that the product runs as.`;
  }
  return undefined;
}

/** Returns the error's code; undefined if the path can be read, or does not exist. */
function findReadFault(path: string, isFolder: boolean): string | undefined {
  try {
    accessSync(path, isFolder ? constants.R_OK | constants.X_OK : constants.R_OK);
    return undefined;
  } catch (error) {
    const cause = codeOf(error) ?? String(error);
    return cause === "ENOENT" || cause === "ENOTDIR" ? undefined : cause;
  }
}

function explainNoFolder(dir: string): string | undefined {
  try {
    if (!statSync(dir).isDirectory())
      return `${dir} is no folder. Give the folder that holds receipts.ndjson.`;
    accessSync(dir, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const cause = codeOf(error) ?? String(error);
    if (cause === "ENOENT") {
      return `There is no folder ${dir}. Either the path is another one, or nobody was asked yet: without an answer nothing is ever written, and nothing sent.`;
    }
    return `The folder ${dir} cannot be read (${cause}). Ask as the user that the product runs as.`;
  }
}

/** Reads an existing folder. Reports which parts are missing or cannot be read. */
export async function readFolder(dir: string, limit: number): Promise<FolderReport> {
  const folder = openStateFolder(dir);
  const instance = readInstance(folder.instance);
  const { lastAtMs } = readKeepAlive(folder.keepAlive);
  return {
    dir,
    answers: readAnswers(readText(folder.receipts)),
    policy: readText(POLICY_FILE, { mayBeLink: true }),
    status: readFolderStatus(folder, POLICY_FILE),
    instance: instance && { instanceId: instance.instanceId, createdAt: instance.createdAt },
    isInstanceStrange: instance === undefined && readText(folder.instance) !== undefined,
    lastKeepAliveAt: lastAtMs === undefined ? undefined : new Date(lastAtMs).toISOString(),
    delivery: readDelivery(folder.delivery),
    isDeliveryNoted: readText(folder.delivery) !== undefined,
    outbox: await countOutbox(folder.outbox),
    messages: (await readOutboxPage(folder.outbox, { limit }))?.messages ?? [],
  };
}

function readAnswers(text: string | undefined | null): readonly ConsentRecord[] | undefined {
  const records = text === null ? undefined : readConsentRecords(text ?? "");
  if (records === undefined) return undefined;
  return SHOWN_SOURCES.map((source) => latestConsentRecord(records, source)).filter(
    (answer) => answer !== undefined,
  );
}
