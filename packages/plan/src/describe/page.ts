/** Defines the public page as data. */
/**
 * The public page as data: what it says, without how it looks. The Markdown and the HTML are both written from it, so
 * they cannot differ. Plain JSON.
 */
export interface PlanPage {
  readonly title: string;
  readonly lead: readonly Block[];
  /** Short facts below the lead. */
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
}

export interface Section {
  /** Unique on the page: the target of links. */
  readonly id: string;
  readonly title: Span;
  /** `event` is shown as a card. */
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
  /** `fields`: one row a field, in the five columns of fields.ts. */
  readonly of: "fields" | "other";
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly Line[])[];
}

export interface Fact {
  readonly term: string;
  readonly line: Line;
}

/** A line of text: spans written one after the other, spaces included. */
export type Line = readonly Span[];

/** All text in it is raw: each writer escapes it for its own language. */
export type Span =
  | string
  | { readonly code: string }
  | { readonly link: string; readonly text: string }
  | { readonly badge: Badge }
  /** Shown in red: something that people would not expect. */
  | { readonly alarm: string };

export interface Badge {
  readonly text: string;
  readonly tone: "technical" | "interaction" | "content" | "contact" | "plain";
}

/**
 * Parses the maker's prose: text in backquotes becomes code (unless one is left open), and white space becomes single
 * spaces.
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
