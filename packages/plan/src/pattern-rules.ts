import safeRegex from "safe-regex2";

/** About 10 ms of backtracking for the worst value. */
const MAX_WAYS = 1_000_000;

/** What is wrong with a `pattern`: it does not compile, or a hostile value could keep it busy. Else undefined. */
export function patternFault(pattern: string, maxLength = 256): string | undefined {
  try {
    new RegExp(pattern, "u");
  } catch {
    return "This is no regular expression of JavaScript (flag u). Mend it; write `\\\\` in double quotes, or use single quotes.";
  }
  if (!safeRegex(pattern)) {
    return "This regular expression could take very long. Write no repetition inside of a repetition, and at most 25 in all.";
  }
  const plain = toPlain(pattern);
  if (/\)[*+{]/.test(plain)) {
    return "This regular expression repeats a group, which could take very long. Repeat single characters or classes, and write a group out.";
  }
  if (waysOf(plain, maxLength) <= MAX_WAYS) return undefined;
  return "This regular expression can match in too many ways, which could take very long. Write narrower bounds (`{1,16}` for `+`), or a smaller `max_length`.";
}

/** Escapes and classes as `x`, groups without their marks: what is left of `?` and `{` are quantifiers. */
function toPlain(pattern: string): string {
  return pattern
    .replaceAll(/\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]/g, "x")
    .replaceAll(/\(\?(?:[:=!]|<[=!]|<[^>]*>)/g, "(");
}

/**
 * An upper bound of the ways in which backtracking can share a value among the quantifiers, when no group repeats:
 * the product of how far each can vary. safe-regex2 knows only of repetitions within repetitions.
 */
function waysOf(plain: string, maxLength: number): number {
  // Alternatives are tried one after another, unless a group joins them with what follows.
  const parts = plain.includes("(") ? [plain.replaceAll("|", "x?")] : plain.split("|");
  const waysOfPart = (part: string): number => {
    let ways = 1;
    for (const [quantifier, least, comma, most] of part.matchAll(/[*+?]|\{(\d+)(,?)(\d*)\}/g)) {
      if (quantifier === "?") ways *= 2;
      else if (comma === "," && most !== "") ways *= Number(most) - Number(least) + 1;
      else if (comma !== "") ways *= maxLength + 1;
    }
    return ways;
  };
  return parts.reduce((sum, part) => sum + waysOfPart(part), 0);
}
