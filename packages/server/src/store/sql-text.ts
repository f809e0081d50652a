/** A text as SQL's literal: `'it\'s'`. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** A name that may hold anything: `` `it\`s` ``. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, "\\$&")}\``;
}
