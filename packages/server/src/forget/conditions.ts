/** The SQL conditions that find the rows of those who are forgotten. The ids of a round are in the table `forgetting`. */
import type { Plan } from "@candor/plan";
import { DATABASE } from "../store/client.ts";
import { isOfInstance } from "../store/instance-rows.ts";
import type { ForgetKind } from "./forget-request.ts";

/** The tables that hold the rows of each kind, and the partition of a row. */
export const TABLES = {
  events: { kinds: ["instance", "user"], month: "toYYYYMM(receivedAt)" },
  contacts: { kinds: ["contact"], month: "toYYYYMM(day)" },
} as const satisfies { [table: string]: { kinds: readonly ForgetKind[]; month: string } };

export type ForgetTable = keyof typeof TABLES;

/** The ids of one kind in a round; with `request`, only those of that request. */
export interface IdSet {
  readonly round: string;
  readonly kind: ForgetKind;
  readonly request?: number;
}

/** Matches the rows to delete. The plan says in which fields an instance's id is. */
export function isOf(set: IdSet, plan: Plan): string {
  const ids = select("id", set);
  if (set.kind === "instance") return `(${isOfInstance(plan, ids)} OR ${isUnreadableWith(set)})`;
  if (set.kind === "contact") return `lowerUTF8(contact) IN (SELECT lowerUTF8(id) FROM ${ids})`;
  const isPrevious = `(position(envelope, '"previousId"') > 0 AND JSONExtractString(envelope, 'previousId') IN ${ids})`;
  return `(userId IN ${ids} OR anonymousId IN ${ids} OR ${isPrevious} OR ${isUnreadableWith(set)})`;
}

/** Matches events whose envelope holds one of the ids as a whole string anywhere. A set may have at most 255 ids. */
export function mentions(set: IdSet): string {
  return `multiSearchAny(envelope, ${select("groupArray(text)", set)})`;
}

/**
 * The store finds nothing at all in a document that it cannot parse as a whole (half of a surrogate pair, a number beyond 64
 * bits). In such a document an id counts wherever it is: a doubtful row is deleted.
 */
function isUnreadableWith(set: IdSet): string {
  return `(${mentions(set)} AND NOT isValidJSON(envelope))`;
}

function select(column: string, { round, kind, request }: IdSet): string {
  const ofRequest = request === undefined ? "" : ` AND request = ${request}`;
  return `(SELECT ${column} FROM ${DATABASE}.forgetting WHERE round = '${round}' AND kind = '${kind}'${ofRequest})`;
}
