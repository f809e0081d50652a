/**
 * Explains what to write instead of YAML that cannot be read, based on the parser's error and the surrounding
 * text.
 */
import { type Document, isScalar, Scalar, visit, type YAMLError } from "yaml";

/** A parser error, explained: the offset in the text at which to show it, and what to write instead. */
export interface YamlFault {
  readonly offset: number;
  readonly message: string;
}

const CODES: { readonly [code: string]: string | undefined } = {
  TAB_AS_INDENT: "A tab indents this line. Indent with blanks.",
  MULTIPLE_DOCS: "A second document begins here. Write one plan in a file, without `---` between parts.",
  NON_STRING_KEY: "This key is not a plain word. Write a text before the colon.",
  RESOURCE_EXHAUSTION: "This is nested too deeply. A plan's objects nest at most 8 deep.",
  TAG_RESOLVE_FAILED: "This tag (`!...`) is unknown. Write the value without a tag.",
  BAD_SCALAR_START: "Text cannot begin with this character. Put the text in quotes.",
  BAD_DQ_ESCAPE:
    "In double quotes, a backslash begins an escape. Write `\\\\` for a backslash, or use single quotes.",
};

const UNQUOTED_COLON =
  "A colon with a blank after it begins a new key, but this line has a key already. Put the text in quotes.";
const DEEPER =
  "This line is indented further than the key above it, which has a value already. Indent it like that key; if it continues the value, put the whole value in quotes.";
const NOT_ALIGNED = "This line is not aligned with its block. Indent it exactly like the other keys there.";
const NOT_CLOSED =
  "A `[` or `{` above is not closed. Close it, or put the text in quotes if it begins with one.";
const NO_DASH =
  "This line is not aligned with the list above. Begin it with `- `, or indent it like the keys of the item.";
const NO_BLANK = "The colon has no blank after it. Write `key: value`.";
const NO_KEY =
  "This line is not a key. Write `key: value`, or put the text in quotes if it continues the line above.";
const AFTER_END = "The value has ended before this text. Put the whole value in quotes.";
const OTHER_KIND =
  "A list and keys cannot be mixed in one block. Indent this line so that it belongs to a key.";
const OPEN_QUOTE = "This quote is not closed. Close it, or double it if it belongs to the text.";

/**
 * Explains an error of the parser.
 * @param text the whole file
 * @param document the part of the file that could be read
 */
export function explainYamlError(error: YAMLError, text: string, document: Document): YamlFault {
  const [offset] = error.pos;
  const at = (message: string, where = offset): YamlFault => ({ offset: where, message });
  const known = CODES[error.code];
  if (known !== undefined) return at(known);
  const line = lineAt(text, offset);
  switch (error.code) {
    case "BLOCK_AS_IMPLICIT_KEY":
      // The second colon is in the rest of this line or in the next line.
      return /:(?:\s|$)/.test(text.slice(offset, line.end))
        ? at(UNQUOTED_COLON)
        : at(DEEPER, nextLine(text, line.end));
    case "BAD_INDENT":
      return at(error.message.startsWith("Flow") ? NOT_CLOSED : NOT_ALIGNED);
    case "MISSING_CHAR": {
      if (error.message.includes("quote")) return at(OPEN_QUOTE, lastQuote(document) ?? offset);
      return at(error.message.startsWith("Sequence") ? NO_DASH : NO_KEY);
    }
    case "MULTILINE_IMPLICIT_KEY": {
      const own = text.slice(line.start, line.end).trim();
      if (own.startsWith("- ")) return at(OTHER_KIND);
      return at(/^[\w$-]+:\S/.test(own) ? NO_BLANK : NO_KEY);
    }
    case "UNEXPECTED_TOKEN": {
      const isFirst = text.slice(line.start, offset).trim() === "";
      return at(isFirst ? OTHER_KIND : AFTER_END);
    }
    default:
      return at(`The YAML is invalid: ${shorten(error.message)}. Correct it here or just before.`);
  }
}

function lineAt(text: string, offset: number): { readonly start: number; readonly end: number } {
  const end = text.indexOf("\n", offset);
  return { start: text.lastIndexOf("\n", offset - 1) + 1, end: end === -1 ? text.length : end };
}

/**
 * The offset of the first non-blank character after the end of a line; of the text's last character if there
 * is none.
 */
function nextLine(text: string, end: number): number {
  const blank = /^\s*/.exec(text.slice(end))?.[0].length ?? 0;
  return Math.min(end + blank, text.length - 1);
}

/**
 * The offset of the last quoted text, undefined if there is none. An open quote begins there, but the parser
 * reports it only at the end of the file.
 */
function lastQuote(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && (node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE))
        offset = node.range?.[0];
    },
  });
  return offset;
}

/** The first line of a message, at most 150 characters, without its full stop. */
function shorten(message: string): string {
  return (message.split("\n")[0] ?? "").slice(0, 150).replace(/\.$/, "");
}
