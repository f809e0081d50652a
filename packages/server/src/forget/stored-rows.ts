import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CandorError } from "../errors.ts";
import { DATABASE, type Store } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import { quoteText } from "../store/sql-text.ts";
import type { ForgetKind } from "./forget-request.ts";

/** Rows that were removed from one place. */
export interface Removed {
  readonly where: string;
  readonly rows: number;
}

const DELETE_ROUNDS = 3;
const MUTATIONS_MS = 300_000;
/** Files of replaced parts go after a second; the store looks for them every 30 to 40 s when nothing else happens. */
const FILES_MS = 120_000;
const LOOK_EVERY_MS = 500;
/** Files of a part younger than this stay (`old_parts_lifetime`, a second). */
const NUDGE_AFTER_MS = 1500;

interface Place {
  readonly table: string;
  readonly where: string;
  /** The rows that are meant. @param ids a subquery that gives the ids */
  readonly condition: (ids: string) => string;
}

const USER: Place = {
  table: "events",
  where: "events",
  condition: (ids) =>
    `(userId IN ${ids} OR anonymousId IN ${ids} OR (type = 'alias' AND JSONExtractString(envelope, 'previousId') IN ${ids}))`,
};

const PLACES: Readonly<Record<ForgetKind, readonly Place[]>> = {
  // Its key stays: docs/decisions/0016-forgetting-keeps-the-key.md
  instance: [{ table: "events", where: "events", condition: isOfInstance }],
  user: [USER],
  contact: [
    {
      table: "contacts",
      where: "contacts",
      condition: (ids) => `lowerUTF8(contact) IN (SELECT lowerUTF8(id) FROM ${ids})`,
    },
  ],
};

/**
 * Deletes the rows of ids from all tables and nodes, and resolves when the files that held them are gone. The ids stand in
 * a table in memory meanwhile: the store writes the text of a deletion into a file that it keeps.
 * @param untilMs rows received up to then must be gone at the end; younger ones may go too
 * @throws CandorError `forget_incomplete`; and what the client throws while the store is away
 */
export async function deleteRows(
  store: Store,
  kind: ForgetKind,
  ids: readonly string[],
  untilMs: number,
): Promise<Removed[]> {
  const places = PLACES[kind];
  const round = randomUUID();
  await store.insertRowsEverywhere(
    "forgetting",
    ids.map((id) => ({ round, id })),
  );
  const subquery = `(SELECT id FROM ${DATABASE}.forgetting WHERE round = '${round}')`;
  const removed: Removed[] = [];
  for (const { table, where, condition } of places) {
    removed.push({ where, rows: await deleteFrom(store, table, condition(subquery), { round, untilMs }) });
  }
  await untilFilesAreGone(
    store,
    places.map(({ table }) => table),
  );
  // Not before all is done: a deletion that is still under way reads them.
  await store.command(`ALTER TABLE forgetting DELETE WHERE round = '${round}'`);
  return removed;
}

/** @returns rows removed */
async function deleteFrom(
  store: Store,
  table: string,
  condition: string,
  { round, untilMs }: { readonly round: string; readonly untilMs: number },
): Promise<number> {
  const count = async (more = ""): Promise<number> => {
    const [row] = await store.query(`SELECT count() AS rows FROM ${table} WHERE ${condition}${more}`);
    return Number(row?.rows ?? 0);
  };
  let rows = 0;
  for (let n = 0; n < DELETE_ROUNDS; n++) {
    const found = await count();
    if (found === 0) return rows;
    await store.command(`ALTER TABLE ${table} DELETE WHERE ${condition}`);
    await untilMutated(store, round);
    rows += found;
  }
  // Who is forgotten may go on sending: what came after the request is not part of it.
  const isOld = ` AND receivedAt <= fromUnixTimestamp64Milli(${untilMs}, 'UTC')`;
  if ((await count(table === "events" ? isOld : "")) > 0) {
    throw new CandorError("forget_incomplete", { what: `rows in ${table}` });
  }
  return rows;
}

async function untilMutated(store: Store, round: string): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const nodes = await store.queryEveryNode(
      `SELECT mutation_id FROM system.mutations ` +
        `WHERE database = '${DATABASE}' AND NOT is_done AND position(command, '${round}') > 0`,
    );
    return nodes.flat().length === 0;
  };
  await until(isDone, MUTATIONS_MS, "a deletion that the store has not ended");
}

/** Parts that were replaced hold the old rows until their files are removed. */
async function untilFilesAreGone(store: Store, tables: readonly string[]): Promise<void> {
  const replaced = async (): Promise<string[]> => {
    const nodes = await store.queryEveryNode(
      `SELECT path FROM system.parts
WHERE database = '${DATABASE}' AND table IN (${tables.map(quoteText).join(", ")})
  AND _state IN ('Outdated', 'Deleting', 'DeleteOnDestroy')`,
    );
    return nodes.flatMap((rows, node) => rows.map(({ path }) => `${node} ${path}`));
  };
  const held = new Set(await replaced());
  let nudgeAtMs = performance.now() + NUDGE_AFTER_MS;
  const areGone = async (): Promise<boolean> => {
    if (!(await replaced()).some((part) => held.has(part))) return true;
    if (performance.now() > nudgeAtMs) {
      // Dropping a partition that does not exist lets the store remove replaced parts at once.
      for (const table of tables) await store.command(`ALTER TABLE ${table} DROP PARTITION ID 'none'`);
      nudgeAtMs = performance.now() + NUDGE_AFTER_MS;
    }
    return false;
  };
  await until(areGone, FILES_MS, "files that the store has not removed");
}

/** @throws CandorError `forget_incomplete` after the time */
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
