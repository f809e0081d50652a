/** Which rows are of whom, as SQL over the table `forgetting`, in which the ids of a round stand. */
import type { Plan } from "@candor/plan";
import { DATABASE } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import type { ForgetKind } from "./forget-request.ts";

/** Where rows of each kind lie. */
export const TABLES = {
  events: { kinds: ["instance", "user"], month: "toYYYYMM(receivedAt)" },
  contacts: { kinds: ["contact"], month: "toYYYYMM(day)" },
} as const satisfies { [table: string]: { kinds: readonly ForgetKind[]; month: string } };

export type ForgetTable = keyof typeof TABLES;

/** The ids of one kind in a round; with `request`, those of one request alone. */
export interface IdSet {
  readonly round: string;
  readonly kind: ForgetKind;
  readonly request?: number;
}

/** The rows that are meant. The plan names where an instance's id stands. */
export function isOf(set: IdSet, plan: Plan): string {
  const ids = select("id", set);
  if (set.kind === "instance") return `(${isOfInstance(plan, ids)} OR ${isUnreadableWith(set)})`;
  if (set.kind === "contact") return `lowerUTF8(contact) IN (SELECT lowerUTF8(id) FROM ${ids})`;
  const isPrevious = `(position(envelope, '"previousId"') > 0 AND JSONExtractString(envelope, 'previousId') IN ${ids})`;
  return `(userId IN ${ids} OR anonymousId IN ${ids} OR ${isPrevious} OR ${isUnreadableWith(set)})`;
}

/** The events whose envelope holds one of the ids as a whole text, wherever. A set may have at most 255. */
export function mentions(set: IdSet): string {
  return `multiSearchAny(envelope, ${select("groupArray(text)", set)})`;
}

/**
 * The store finds nothing at all in a document that it cannot read as a whole (half of a surrogate pair, a number beyond 64
 * bits). There an id counts wherever it stands: in doubt for who is forgotten.
 */
function isUnreadableWith(set: IdSet): string {
  return `(${mentions(set)} AND NOT isValidJSON(envelope))`;
}

function select(column: string, { round, kind, request }: IdSet): string {
  const ofRequest = request === undefined ? "" : ` AND request = ${request}`;
  return `(SELECT ${column} FROM ${DATABASE}.forgetting WHERE round = '${round}' AND kind = '${kind}'${ofRequest})`;
}
