/**
 * What a client sent is shown in terminals, and a terminal obeys what it is sent: an event's name could clear the
 * screen, retitle the window, or forge a line. So nothing outside plain text gets there: controls (C0, DEL, C1),
 * invisible formatting (the bidirectional overrides that reorder what is read), lone surrogates, line separators.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** Text for one line of a terminal; what is unsafe is written as `\u{1b}`. */
export function toSafeText(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON of the same value without a character that is unsafe: they stand in strings only, where JSON can escape them. */
export function toSafeJson(json: string): string {
  return json.replace(UNSAFE, (char) =>
    Array.from({ length: char.length }, (_, at) => {
      const unit = char.charCodeAt(at).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
}

/** At most `maxChars` code points; an ellipsis stands for the rest. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const chars = [...text];
  return chars.length <= maxChars ? text : `${chars.slice(0, Math.max(0, maxChars - 1)).join("")}…`;
}
