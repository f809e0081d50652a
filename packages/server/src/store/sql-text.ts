/** Quotes texts and names for SQL. */
/** A text as an SQL literal: `'it\'s'`. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** A name that may contain anything: `` `it\`s` ``. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, "\\$&")}\``;
}
