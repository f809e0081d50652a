/** Defines the public page as data. */

/**
 * What the public page says, without its appearance. Both the Markdown and the HTML are rendered from this
 * data, so they say the same. Plain JSON.
 */
export interface PlanPage {
  readonly title: string;
  readonly lead: readonly Block[];
  /** Short facts that are shown below the lead. */
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
}

export interface Section {
  /** The target of links, unique on the page. */
  readonly id: string;
  readonly title: Span;
  /** A section of kind `event` is shown as a card. */
  readonly kind: "plain" | "event";
  readonly badges: readonly Badge[];
  readonly blocks: readonly Block[];
  readonly sections: readonly Section[];
}

export type Block =
  | { readonly kind: "text"; readonly line: Line }
  | { readonly kind: "warning"; readonly line: Line }
  | { readonly kind: "list"; readonly ordered: boolean; readonly items: readonly Line[] }
  | { readonly kind: "facts"; readonly facts: readonly Fact[] }
  | Table
  | { readonly kind: "sample"; readonly caption: string; readonly json: string };

export interface Table {
  readonly kind: "table";
  /** `fields`: one row per field, in the columns of fields.ts. */
  readonly of: "fields" | "other";
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of each row is its heading. */
  readonly rows: readonly (readonly Line[])[];
}

export interface Fact {
  readonly term: string;
  readonly line: Line;
}

/** A line of text: spans that are written in order, without adding spaces. */
export type Line = readonly Span[];

/** Part of a line. All its text is raw, because each renderer escapes it for its own language. */
export type Span =
  | string
  | { readonly code: string }
  | { readonly link: string; readonly text: string }
  | { readonly badge: Badge }
  /** Text that the renderers highlight, because people would not expect what it says. */
  | { readonly alarm: string };

export interface Badge {
  readonly text: string;
  readonly tone: "technical" | "interaction" | "content" | "contact" | "plain";
}

/**
 * Parses prose that the product's developer wrote. Text in backquotes becomes code, unless the number of
 * backquotes is odd. White space is trimmed, and each run of it becomes a single space.
 */
export function toLine(prose: string): Line {
  const parts = prose.replace(/\s+/g, " ").trim().split("`");
  if (parts.length % 2 === 0) return [parts.join("`")];
  return parts
    .map((part, index): Span => (index % 2 === 1 ? { code: part } : part))
    .filter((span) => span !== "");
}

/** A link to a web or e-mail address; plain text for anything else. */
export function toLink(address: string): Span {
  if (/^https?:\/\/\S+$/i.test(address)) return { link: address, text: address };
  if (/^[^\s@]+@[^\s@]+$/.test(address))
    return { link: `mailto:${encodeURIComponent(address)}`, text: address };
  return address;
}
