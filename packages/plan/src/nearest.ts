/**
 * Finds the word that was probably meant: the one with the fewest typing errors, ignoring case and
 * punctuation (`maxLength` for `max_length`). Undefined if every word has too many.
 */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const plain = letters(word);
  const most = plain.length < 5 ? 1 : 2;
  const ranked = words
    .map((candidate) => ({ candidate, distance: distanceOf(plain, letters(candidate), most) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

function letters(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** The Levenshtein distance; `most + 1` if the lengths alone differ by more than `most`. */
function distanceOf(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? most + 1;
}
