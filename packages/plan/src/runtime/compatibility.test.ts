import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_EXPANSION, revealForms } from "./compatibility.ts";
import { scrub } from "./scrub.ts";

/** Characters that occur in addresses or in their encodings. */
const TELLING = /[0-9A-Za-z@.:&%#]/;
const LETTER = /\p{L}/u;
const LETTER_OR_NUMBER = /[\p{L}\p{N}]/u;

function* codePoints(): Generator<string> {
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point < 0xd800 || point > 0xdfff) yield String.fromCodePoint(point);
  }
}

const changing = [...codePoints()].filter((character) => character.normalize("NFKC") !== character);

test("every character of Node's Unicode version that can hide a part of an address is revealed", () => {
  const missed = changing.filter((character) => {
    const plain = character.normalize("NFKC");
    const becomes = (kind: RegExp): boolean => kind.test(plain) && !kind.test(character);
    const hides = TELLING.test(plain) || becomes(LETTER) || becomes(LETTER_OR_NUMBER);
    return hides && revealForms(character) !== plain;
  });
  expect(missed).toEqual([]);
});

test("no character grows beyond the limit", () => {
  const grown = changing.filter(
    (character) => revealForms(character).length > MAX_EXPANSION * character.length,
  );
  expect(grown).toEqual([]);
});

test("a megabyte of the character that grows most under NFKC stays unchanged", () => {
  const text = "\uFDFA".repeat(350_000);
  expect("\uFDFA".normalize("NFKC")).toHaveLength(18);
  expect(revealForms(text)).toHaveLength(text.length);
});

test("an address that would be found in the text's NFKC form is found", () => {
  // Characters that begin another encoding are left out, because only a limited number of layers is decoded.
  const forms = changing.filter((character) => !/[%&#]/.test(character.normalize("NFKC")));
  const piece = fc.oneof(
    fc.constantFrom(...forms),
    fc.constantFrom("bob", "@", "\uFF20", "example.com", "10.0.0.1", "10", ".", "2001:db8::1", ":", "="),
    fc.constantFrom('"', "<", "=", "\u0338", " ", "\u0301", "&"),
  );
  const texts = fc.array(piece, { maxLength: 12 }).map((pieces) => `&${pieces.join("")}`);
  fc.assert(
    fc.property(texts, (text) => {
      const found = scrub(text.normalize("NFKC"));
      if (found !== undefined) expect(scrub(text)).toBeDefined();
    }),
    { numRuns: 20_000, seed: 20_261_126, examples: [['&\uFF02\u516D"@\u4E2D.com']] },
  );
});
