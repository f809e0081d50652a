/**
 * Waits until the store has finished what a deletion started: its mutations, and the removal of replaced
 * files.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CandorError } from "../errors.ts";
import type { Store } from "../store/client.ts";
import { quoteText } from "../store/sql-text.ts";

const MUTATIONS_MS = 300_000;
/**
 * How long to wait for the files of replaced parts. The store may delete them after a second, but an idle
 * store does so only every 30 to 40 s.
 */
const FILES_MS = 120_000;
const LOOK_EVERY_MS = 200;
/**
 * Time before each request to delete replaced parts at once. Longer than a second, for which the store keeps
 * a replaced part in any case (`old_parts_lifetime`).
 */
const NUDGE_AFTER_MS = 1500;

/**
 * Waits until the store has finished the deletions of a round.
 * @throws CandorError `forget_incomplete` if that takes too long
 */
export async function untilMutated(store: Store, round: string): Promise<void> {
  await until(
    async () => !(await isMutating(store, round)),
    MUTATIONS_MS,
    "a deletion that the store has not ended",
  );
}

/** Whether a deletion of the round is still running. */
export async function isMutating(store: Store, round: string): Promise<boolean> {
  const nodes = await store.queryEveryNode(
    `SELECT mutation_id FROM system.mutations ` +
      `WHERE database = '${store.databases.local}' AND NOT is_done AND position(command, '${round}') > 0`,
  );
  return nodes.flat().length > 0;
}

/**
 * Waits until the files of the parts that have been replaced so far are deleted, because they contain the old
 * rows.
 * @throws CandorError `forget_incomplete` if that takes too long
 */
export async function untilFilesAreGone(store: Store, tables: readonly string[]): Promise<void> {
  const replaced = async (): Promise<string[]> => {
    const nodes = await store.queryEveryNode(
      `SELECT path FROM system.parts
WHERE database = '${store.databases.local}' AND table IN (${tables.map(quoteText).join(", ")})
  AND _state IN ('Outdated', 'Deleting', 'DeleteOnDestroy')`,
    );
    return nodes.flatMap((rows, node) => rows.map(({ path }) => `${node} ${path}`));
  };
  const held = new Set(await replaced());
  let nudgeAtMs = performance.now() + NUDGE_AFTER_MS;
  const areGone = async (): Promise<boolean> => {
    if (!(await replaced()).some((part) => held.has(part))) return true;
    if (performance.now() > nudgeAtMs) {
      // Dropping a partition that does not exist makes the store delete replaced parts at once.
      for (const table of tables) await store.command(`ALTER TABLE ${table} DROP PARTITION ID 'none'`);
      nudgeAtMs = performance.now() + NUDGE_AFTER_MS;
    }
    return false;
  };
  await until(areGone, FILES_MS, "files that the store has not removed");
}

/**
 * Waits until `isDone` returns true.
 * @param what what is left, for the error's message
 * @throws CandorError `forget_incomplete` after `ms`
 */
export async function until(
  isDone: () => Promise<boolean> | boolean,
  ms: number,
  what: string,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new CandorError("forget_incomplete", { what });
    await sleep(LOOK_EVERY_MS);
  }
}
