/**
 * Owns the state folder: the path of each file, how files are read and replaced, and the plan stored beside
 * the messages.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, isRecord, tryParseJson } from "@candor/envelope/unknown-value";
import type { Plan } from "@candor/plan/runtime";
import { readPlan } from "../generated-plan.ts";
import { scopeOfName } from "../scope.ts";
import { readText } from "./plain-file.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * The paths of all files that the SDK keeps on an operator's machine. docs/state-folder.md explains each
 * file.
 */
export interface StateFolder {
  readonly dir: string;
  readonly receipts: string;
  readonly instance: string;
  readonly plan: string;
  readonly install: string;
  readonly keepAlive: string;
  readonly keepAliveLease: string;
  readonly delivery: string;
  readonly lease: string;
  readonly outbox: string;
}

/** The paths in a state folder. Creates nothing. */
export function openStateFolder(dir: string): StateFolder {
  return {
    dir,
    receipts: join(dir, "receipts.ndjson"),
    instance: join(dir, "instance.json"),
    plan: join(dir, "plan.json"),
    install: join(dir, "install.json"),
    keepAlive: join(dir, "keep-alive.json"),
    keepAliveLease: join(dir, "keep-alive.lease"),
    delivery: join(dir, "delivery.json"),
    lease: join(dir, "sender.lease"),
    outbox: join(dir, "outbox"),
  };
}

/** Creates the folder and its outbox, accessible only to this user. @throws a file system error */
export function makeFolder(folder: StateFolder): void {
  mkdirSync(folder.outbox, { recursive: true, mode: FOLDER_MODE });
}

/**
 * Explains what to do if files of the folder belong to another user, because an installer ran as root, or a
 * container got another user id. Only their owner may access them. Empty if they belong to this user, if this
 * user is root, or if the system has no user ids. Never throws.
 * @param uid the user that the process runs as. Default: the current one
 */
export function explainOwner(
  { dir, receipts, instance }: StateFolder,
  uid: number | undefined = process.getuid?.(),
): string {
  if (uid === undefined || uid === 0) return "";
  const owners = [dir, receipts, instance].flatMap((path) => ownerOf(path) ?? []);
  const other = owners.find((owner) => owner !== uid);
  if (other === undefined) return "";
  return ` The product runs as user ${uid}, and something there belongs to user ${other}. As root: chown -R ${uid} '${dir}'. Where the user id is another one at each start, run the installer as the same user, or have the container start with a fixed one.`;
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined;
  }
}

/**
 * Matches the drafts that a process leaves if it is killed while replacing a file. A draft may contain an id.
 */
const OWN_DRAFT =
  /^(?:instance\.json|plan\.json|keep-alive\.json|delivery\.json|receipts\.ndjson|(?:sender|keep-alive)\.lease)\.[0-9a-f]{8}\.tmp$/;

/** The drafts of the folder's own files. The drafts of cursors are in the outbox. */
export function ownDraftsIn(folder: StateFolder): readonly string[] {
  return namesIn(folder.dir)
    .filter((name) => OWN_DRAFT.test(name))
    .map((name) => join(folder.dir, name));
}

/**
 * The drafts in a state folder and its outbox. A killed process may have left them, but one may be in use
 * right now.
 */
export function draftsIn(folder: StateFolder): readonly string[] {
  const cursors = namesIn(folder.outbox).filter(
    (name) => scopeOfName(name) !== undefined && name.endsWith(".tmp"),
  );
  return [...ownDraftsIn(folder), ...cursors.map((name) => join(folder.outbox, name))];
}

/** The names in a folder; empty if it cannot be read. */
export function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

const NO_FILE = { mtimeMs: 0, ctimeMs: 0, size: 0, ino: 0 };

/**
 * A text that changes whenever the file does: when it is written to, when its size changes, or when another
 * file replaces it. Never empty.
 */
export function signatureOf(file: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? NO_FILE;
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return "unreadable";
  }
}

/** The object in a JSON file; undefined if there is no such file, or its content is not a JSON object. */
export function readObject(path: string): { readonly [key: string]: unknown } | undefined {
  const text = readText(path);
  if (typeof text !== "string") return undefined;
  const value = tryParseJson(text);
  return isRecord(value) ? value : undefined;
}

/** The id that the installer stored for this instance; undefined if there is none. */
export function readInstallId(file: string): string | undefined {
  const { installId } = readObject(file) ?? {};
  return typeof installId === "string" && /^[0-9a-f]{32}$/.test(installId) ? installId : undefined;
}

/**
 * How many times a draft is written. If the machine's clock was set, or differs from the file server's clock,
 * a sweep may mistake a draft for an abandoned one and delete it.
 */
const DRAFTS = 3;

/**
 * Replaces a file atomically, so that a reader sees either the old text or the new text.
 * @throws a file system error
 */
export function replaceFile(path: string, text: string): void {
  for (let left = DRAFTS - 1; ; left -= 1) {
    const draft = toDraftPath(path);
    try {
      writeFileSync(draft, text, { mode: FILE_MODE, flag: "wx" });
      renameSync(draft, path);
      return;
    } catch (error) {
      giveUp(draft, error, left);
    }
  }
}

/**
 * Like `replaceFile`, without blocking the event loop.
 * @param mayReplace called just before the file is replaced, because somebody may have answered No in the
 * meantime. If it returns false, the file stays as it is
 * @throws a file system error
 */
export async function replaceFileLater(path: string, text: string, mayReplace: () => boolean): Promise<void> {
  for (let left = DRAFTS - 1; ; left -= 1) {
    const draft = toDraftPath(path);
    try {
      await writeFile(draft, text, { mode: FILE_MODE, flag: "wx" });
      if (mayReplace()) renameSync(draft, path);
      else removeFile(draft);
      return;
    } catch (error) {
      giveUp(draft, error, left);
    }
  }
}

/**
 * Deletes a draft that could not be put in place.
 * @throws the error, unless the draft was already deleted and may be written again
 */
function giveUp(draft: string, error: unknown, left: number): void {
  removeFile(draft);
  if (left === 0 || codeOf(error) !== "ENOENT") throw error;
}

/** The path ends in `.tmp`, so that a draft left by a killed process is swept. */
function toDraftPath(path: string): string {
  return `${path}.${randomBytes(4).toString("hex")}.tmp`;
}

/** Deletes a file. Returns false if it was already deleted, or cannot be deleted. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The plan that the product enforces. */
export interface KeptPlan {
  readonly plan: Plan;
  /** SHA-256 of what the plan collects, lower-case hex. */
  readonly planHash: string;
}

/**
 * Stores the plan beside the messages that are sent under it, for people who read the folder without the
 * product.
 * @throws a file system error
 */
export function keepPlan(file: string, { plan, planHash }: KeptPlan): void {
  const text = `${JSON.stringify({ planHash, plan })}\n`;
  if (readText(file) !== text) replaceFile(file, text);
}

/** Reads the stored plan. Undefined if there is none, or this version does not know its format. */
export function readKeptPlan(file: string): KeptPlan | undefined {
  const { planHash, plan } = readObject(file) ?? {};
  const read = readPlan({ hash: planHash, content: plan });
  return read && { plan: read.content, planHash: read.hash };
}
