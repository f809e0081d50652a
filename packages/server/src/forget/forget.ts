/** Deletes what is stored about an instance, a user or a contact, and issues the deletion receipt. */
import { CandorError } from "../errors.ts";
import { createBatchQueue } from "./batch-queue.ts";
import { type ForgetKind, type ForgetRequest, subjectOf } from "./forget-request.ts";
import { type ForgetDependencies, type Forgotten, runRound, type Subject } from "./forget-round.ts";
import type { Removed } from "./stored-rows.ts";

export { type ForgetRequest, readForgetRequest } from "./forget-request.ts";
export type { ForgetDependencies } from "./forget-round.ts";

/** The deletion receipt, for the person who asked. */
export interface ForgetReceipt {
  /**
   * The kind and the id that were forgotten. A contact's address is left out, because the receipt itself is
   * kept.
   */
  readonly forgotten: Readonly<Partial<Record<ForgetKind, string>>>;
  readonly requestedAt: string;
  readonly completedAt: string;
  readonly removed: readonly Removed[];
  readonly notes: readonly string[];
}

/**
 * Deletes what is stored about an instance, a user or a contact. Resolves once the rows and the files that
 * contained them are gone. For an unknown id, the receipt reports 0 rows.
 * @throws CandorError `store_away`, `forget_incomplete` (nothing is guaranteed; ask again), `forget_busy`
 */
export type Forget = (request: ForgetRequest) => Promise<ForgetReceipt>;

/**
 * Requests per round. Each has at most 8 forms of its id, and `mentions` (stored-rows.ts) accepts at most 255
 * ids.
 */
const MAX_ROUND = 30;
const MAX_WAITING = 200;

const NOTES = [
  "What was received after requestedAt is not part of this receipt.",
  "Message ids stay as hashes for at most 8 days, so that a message that is sent again is not taken again; they name nobody.",
  "Backups, and logs that a ClickHouse server writes of itself, are kept by whoever runs Candor, and are not reached from here.",
];
const OF_INSTANCES = [
  "Browsers' messages carry the instance's id only where they came through its gateway and the plan declares it, and its installer's only where the plan says so. Those without it are not deleted: forget them by their userId or anonymousId, as a user.",
];
const OF_USERS =
  "An SDK may send a user's id as a hash under a secret that only its instance has; such rows are found by that hash alone. The operator gets it on the instance's machine: `npx @candor/node inspect DIR --hash` with the product's state folder reads the id from standard input and prints the hash. Forget the hash as a user.";
const NO_ID_IN_CONTACTS =
  "Contacts that people gave carry no id, so they were not searched; forget one by its address.";
const NO_CONTACT_IN_EVENTS =
  "Events carry no contact, so they were not searched; forget an instance or a user by its id.";

/**
 * Creates the `Forget` function. Deleting many ids costs the store about as much as deleting one, so requests
 * that arrive during a round wait and share the next one (at most `MAX_ROUND`). Waiting requests for the same
 * id share a receipt.
 */
export function createForget(deps: ForgetDependencies): Forget {
  const queue = createBatchQueue<Subject, ForgetReceipt>({
    run: async (subjects) => {
      const forgotten = await runRound(subjects, deps);
      const completedAtMs = deps.now();
      return subjects.map((subject, n) => toReceipt(subject, forgotten[n], completedAtMs));
    },
    keyOf: ({ kind, id }) => `${kind} ${id}`,
    maxBatch: MAX_ROUND,
    maxWaiting: MAX_WAITING,
  });
  return async (request) => {
    const receipt = queue.add({ ...subjectOf(request), requestedAtMs: deps.now() });
    if (receipt === undefined) throw new CandorError("forget_busy");
    return receipt;
  };
}

/** Joins the receipts of one request that several products have served, one after another. */
export function joinReceipts(receipts: readonly ForgetReceipt[]): ForgetReceipt {
  const [first, last] = [receipts[0], receipts.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a collector has at least one product");
  const rows = new Map<string, number>();
  for (const { removed } of receipts)
    for (const one of removed) rows.set(one.where, (rows.get(one.where) ?? 0) + one.rows);
  return {
    forgotten: first.forgotten,
    requestedAt: first.requestedAt,
    completedAt: last.completedAt,
    removed: [...rows].map(([where, count]) => ({ where, rows: count })),
    notes: [...new Set(receipts.flatMap(({ notes }) => notes))],
  };
}

function toReceipt(
  { kind, id, requestedAtMs }: Subject,
  { removed, elsewhere }: Forgotten = { removed: [], elsewhere: 0 },
  completedAtMs: number,
): ForgetReceipt {
  return {
    forgotten: { [kind]: kind === "contact" ? "the address that was given" : id },
    requestedAt: new Date(requestedAtMs).toISOString(),
    completedAt: new Date(completedAtMs).toISOString(),
    removed,
    notes: [
      ...(kind === "user" && removed.every(({ rows }) => rows === 0)
        ? ["Nothing was found under this user id."]
        : []),
      ...(elsewhere > 0 ? [toElsewhere(elsewhere)] : []),
      ...NOTES,
      ...(kind === "instance" ? OF_INSTANCES : []),
      ...(kind === "user" ? [OF_USERS] : []),
      kind === "contact" ? NO_CONTACT_IN_EVENTS : NO_ID_IN_CONTACTS,
    ],
  };
}

function toElsewhere(rows: number): string {
  return `This text also stands in ${rows} other ${rows === 1 ? "row" : "rows"}, but not as an id of the one who is forgotten (as the value of a property, for example). They were not deleted.`;
}
