/** A word for sh. A chosen token may hold any sign, a folder's name too. */
export function quote(word: string): string {
  return /^[\w./:@%+=,~-]+$/.test(word) && !word.startsWith("~")
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
