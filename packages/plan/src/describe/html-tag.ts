/**
 * Creates HTML. The tag `html` escapes every value that is not markup from this file, so nobody can forget to
 * escape.
 */

/** Markup, which only this file creates. Any other value is text, even if it looks like markup. */
class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type { Html };

/** A value in markup. The values of an array are written in order; `undefined` and `false` write nothing. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * Creates markup that contains values. The values are safe in text and in quoted attributes, but not as the
 * target of a link (`javascript:`), in a script, or in a style.
 * @example
 * html`<p title="${title}">${lines.map((line) => html`<b>${line}</b>`)}</p>`
 */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(literals.map((literal, index) => literal + write(values[index])).join(""));
}

/**
 * Creates a whole page: a head with the title and one style element, and a body.
 * @throws Error if the CSS contains `<`
 */
export function htmlDocument(title: string, css: string, body: Html): string {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
${styleElement(css)}
</head>
<body>
${body}
</body>
</html>
`.toString();
}

/** Does not escape the CSS, so that a Content-Security-Policy can allow the style by its hash. */
function styleElement(css: string): Html {
  if (css.includes("<")) throw new Error("CSS with `<` could end its style element.");
  return new Html(`<style>${css}</style>`);
}

function write(value: HtmlValue): string {
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(write).join("");
  return value === undefined || value === false ? "" : toText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function toText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
