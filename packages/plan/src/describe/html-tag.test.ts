import { describe, expect, it } from "vitest";
import { type Html, type HtmlValue, html, htmlDocument } from "./html-tag.ts";

const PLACES: readonly (readonly [place: string, write: (value: HtmlValue) => Html])[] = [
  ["text", (value) => html`[${value}]`],
  ["an attribute", (value) => html`<a href="[${value}]">x</a>`],
  ["an attribute in single quotes", (value) => html`<a href='[${value}]'>x</a>`],
  ["a title", (value) => html`<title>[${value}]</title>`],
  ["an array", (value) => html`<ul>${["[", value, "]"]}</ul>`],
  ["markup in markup", (value) => html`<p>${[html`<b>${html`[${value}]`}</b>`]}</p>`],
];

const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title></textarea></style><b>",
  "<!-- --> <![CDATA[ ]]>",
  "&lt;b&gt; &amp;amp; &#x3c;",
  "&",
  "<",
  "\0<\u2028>\ud800'",
  "$`x` \\",
];

describe.each(PLACES)("in %s", (_place, write) => {
  it.each(HOSTILE)("%j becomes text only, and nothing of it is lost", (value) => {
    const [frame] = [write("").toString()];
    const [begin = "", end = ""] = frame.split("[]");
    const written = write(value).toString();
    const inner = written.slice(begin.length + 1, written.length - end.length - 1);
    expect(written).toBe(`${begin}[${inner}]${end}`);
    expect(inner).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    expect(decode(inner)).toBe(value);
  });
});

/** Decodes the five escapes that `html` writes, as a browser would. */
function decode(text: string): string {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => characters[name] ?? "");
}

it.each<[what: string, value: unknown, written: string]>([
  ["an object that only looks like markup", { toString: () => "<b>" }, "&lt;b&gt;"],
  ["such an object out of JSON", JSON.parse('{"markup":"<b>","#markup":"<b>"}'), "[object Object]"],
  ["null, which the types exclude", null, "null"],
  ["a number", 1.5, "1.5"],
  ["nothing", undefined, ""],
  ["what a condition left out", false, ""],
  ["nested arrays", [["<", [html`<i>${">"}</i>`]], undefined], "&lt;<i>&gt;</i>"],
])("writes %s", (_what, value, written) => {
  expect(html`${value as HtmlValue}`.toString()).toBe(written);
});

it("writes a document with its style unchanged, and refuses a style that could end its element", () => {
  const css = "a > b { content: '&\"'; }";
  const page = htmlDocument("<T>", css, html`<p>${"&"}</p>`);
  expect(page).toContain(`<style>${css}</style>`);
  expect(page).toContain("<title>&lt;T&gt;</title>");
  expect(page).toContain("<body>\n<p>&amp;</p>\n</body>");
  expect(() => htmlDocument("", "a {} </style><script>", html``)).toThrow();
});
