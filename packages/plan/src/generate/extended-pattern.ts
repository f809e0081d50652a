/**
 * Translates a plan's pattern (a JavaScript regular expression) to a POSIX extended regular expression, for
 * `grep -E -x`. Returns undefined if it cannot be translated exactly. The sh table then allows no value
 * there, which is safe.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap09.html#tag_09_04
 */
export function toExtendedPattern(pattern: string): string | undefined {
  let extended = "";
  for (const part of pattern.match(PARTS) ?? []) {
    const written = toExtendedPart(part);
    if (written === undefined) return undefined;
    extended += written;
  }
  return EMPTY_BRANCH.test(extended) ? undefined : extended;
}

/**
 * Matches an escaped character, a bracket expression, the head of a group, a quantifier, or one character.
 */
const PARTS = /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?[\s\S]|(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?|[\s\S]/g;
/** Matches an empty alternative, whose meaning POSIX does not define. */
const EMPTY_BRANCH = /^\||\|$|\|\||\(\||\|\)|\(\)/;

function toExtendedPart(part: string): string | undefined {
  if (part === "(?:") return "(";
  if (part === "\\d") return "[0-9]";
  if (part === "\\w") return "[A-Za-z0-9_]";
  if (part === "\\/" || part === "\\-") return part.slice(1);
  if (part.startsWith("\\")) return /[.*+?^${}()|[\]\\]/.test(part.slice(1)) ? part : undefined;
  if (part.startsWith("(?") || part === "^" || part === "$") return undefined;
  if (part.length > 1 && part.startsWith("["))
    return /[\\[]/.test(part.slice(1)) || part === "[]" || part === "[^]" ? undefined : part;
  // A lazy quantifier makes no difference to whether the whole value matches.
  return part.length > 1 ? part.replace(/[?]$/, "") : part;
}
