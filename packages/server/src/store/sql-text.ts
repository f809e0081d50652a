/** Quotes texts and names for SQL. */

/** Returns a text as an SQL literal: `'it\'s'`. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** Returns a name, which may contain any character, as a quoted SQL identifier: `` `it\`s` ``. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, "\\$&")}\``;
}
