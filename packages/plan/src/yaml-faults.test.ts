import { expect, test } from "vitest";
import { readDocument } from "./document.ts";

/** The first fault of a file, as `line:column sentence`. */
function faultOf(text: string): string {
  const [fault] = readDocument(text).faults;
  return fault === undefined ? "" : `${fault.line}:${fault.column} ${fault.message}`;
}

const COLON = "A colon with a blank after it begins a new key";
const DEEPER = "This line is indented further than the key above it";
const NOT_ALIGNED = "This line is not aligned with its block";
const NOT_CLOSED = "A `[` or `{` above is not closed";
const CHARACTER = "Text cannot begin with this character";
const ENDED = "The value has ended before this text";

test.each([
  ["an unquoted colon", "a: foo: bar\n", `1:4 ${COLON}`],
  ["an unquoted colon in a list", "l:\n  - why: Says: what\n    x: 1\n", `2:10 ${COLON}`],
  ["an unquoted colon at the end", "a: b:\n", `1:4 ${COLON}`],
  ["an unquoted colon in a sentence", "why: It says: this\nb: 1\n", `1:6 ${COLON}`],
  ["a key indented too far", "a:\n  b: 1\n   c: 2\n", `3:4 ${DEEPER}`],
  ["a key indented too far after a blank line", "a:\n  b: 1\n\n     c: 2\n", `4:6 ${DEEPER}`],
  ["a key indented too little", "a:\n    b: 1\n  c: 2\n", `3:1 ${NOT_ALIGNED}`],
  ["a folded text that is not aligned", "d: >\n  one\n two\n", `3:1 ${NOT_ALIGNED}`],
  [
    "a key that is not aligned with its item",
    "l:\n  - a: 1\n   b: 2\n",
    "3:1 This line is not aligned with the list",
  ],
  ["a colon without a blank", "a:1\nb: 2\n", "1:1 The colon has no blank after it"],
  ["a line without a colon", "a\nb: 1\n", "1:1 This line is not a key"],
  ["a list item among keys", "a: 1\n- b\n", "2:1 A list and keys cannot be mixed"],
  ["a key among list items", "- a\nb: 1\n", "2:1 A list and keys cannot be mixed"],
  ["a tab", "a:\n\tb: 1\n", "2:1 A tab indents this line"],
  ["an at sign", "a: @scope/name\n", `1:4 ${CHARACTER}`],
  ["a backquote", "a: `x`\n", `1:4 ${CHARACTER}`],
  ["a double quote that is not closed", 'x: 1\na: "foo\nb: 1\n', "2:4 This quote is not closed"],
  ["a single quote that is not closed", "a: 'foo\nb: 1\n", "1:4 This quote is not closed"],
  ["a list that is not closed", "a: [1, 2\nb: 3\n", `2:1 ${NOT_CLOSED}`],
  ["a block that is not closed", "a: {x: 1\nb: 3\n", `2:1 ${NOT_CLOSED}`],
  ["an expression that begins with a bracket", "p: [a-z]{2}\n", `1:9 ${ENDED}`],
  ["text after a quote", 'a: "x" y\n', `1:8 ${ENDED}`],
  ["a backslash in double quotes", 'a: "\\d+"\n', "1:5 In double quotes, a backslash begins an escape"],
  ["a second document", "a: 1\n---\nb: 2\n", "2:1 A second document begins here"],
  [
    "a directive",
    "%TAG\na: 1\n",
    "1:1 The YAML is invalid: %TAG directive should contain exactly two parts. Correct it",
  ],
])("%s", (_name, text, sentence) => {
  expect(faultOf(text).slice(0, sentence.length)).toBe(sentence);
});

test.each([
  ["a URL", "a: http://127.0.0.1:80/\n"],
  ["a quoted colon", 'a: "foo: bar"\n'],
  ["a folded text", "d: >-\n  one: two\n  three\n"],
])("%s is accepted", (_name, text) => {
  expect(faultOf(text)).toBe("");
});
