/** Divides a plan file into the parts that are checked independently. */
import type { Path } from "./document.ts";

/** Where a source or an event has fields. */
const FIELD_BLOCKS = ["context", "ids", "properties", "traits"];

/**
 * The part of the plan that a path belongs to: a top-level key, a source, an event, or a field. The rules skip a part
 * whose structure is wrong, and check all others.
 */
export function unitOf(path: Path): Path {
  if (path[0] !== "sources" && path[0] !== "events") return path.slice(0, 1);
  let end = Math.min(path.length, 2);
  if (path.length > 3 && FIELD_BLOCKS.includes(String(path[2]))) end = 4;
  while (end >= 4 && path.length > end + 1 && path[end] === "fields") end += 2;
  return path.slice(0, end);
}
