/** Cuts e-mail and IP addresses out of text. */
import { type AsciiClass, overlap, toAsciiClass } from "./ascii-class.ts";
import { hasForms, revealForms } from "./compatibility.ts";

/** Which kinds of addresses a text contained, and the text without them. */
export interface Scrubbed {
  readonly text: string;
  readonly email: boolean;
  readonly address: boolean;
}

/**
 * Matches what every e-mail and IP address contains, plain or encoded, except in the Unicode forms that
 * `hasForms` finds. Most texts do not match.
 */
const SUSPICIOUS = /[@%&\uFF00-\uFF5E\uFE6B]|\d\.\d+\.\d+\.\d|:[0-9a-f:]*:/i;
/**
 * Every text that `SUSPICIOUS` matches contains one of these characters or a non-ASCII character. For
 * non-ASCII characters, only `scrub` can tell whether they hide an address.
 */
const MARKS = toAsciiClass("[.:@%&]");
const ENCODED = /[%&\uFF00-\uFF5E\uFE6B]/;
const AT = /[@\uFF20]/;
const TWO_COLONS = /:[0-9a-f:]*:/i;

/**
 * Matches text between delimiters, including blanks in quotes before an @. Nothing follows the loop, so it
 * never backtracks.
 */
const WORD = /(?:[^\s<>(){},;:"|\\/=?&#]+|"[^"\n]{1,64}"(?=[@\uFF20]))+/g;

const V4_BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const V4 = `(?:${V4_BYTE}\\.){3}${V4_BYTE}`;
/**
 * Matches an IPv6 address anywhere in a text, also next to letters. Forms with the most groups come first, so
 * that the longest address is matched.
 */
const IPV6 = new RegExp(toIpv6Pattern("[0-9a-f]{1,4}"), "gi");

/**
 * How many layers of encoding (percent, entities, Unicode forms) are decoded: an encoded text may be encoded
 * once more.
 */
const REVEAL_ROUNDS = 2;

/**
 * Whether a text may contain a character that every e-mail and IP address needs, plain or encoded. Most texts
 * contain none. A look-up for each character takes half as long as a RegExp.
 */
export function isMarked(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= MARKS.length || MARKS[code] === 1) return true;
  }
  return false;
}

/** Whether `isMarked` can be true for a text that contains only these characters. */
export function allowsMarks(characters: AsciiClass): boolean {
  return overlap(characters, MARKS);
}

/**
 * Cuts e-mail and IP addresses out of a text, and replaces them by `[email]` and `[ip]`. If an address is
 * found only after decoding (`bob%40example.com`, `&#64;`, fullwidth forms), the whole text becomes `[email]`
 * or `[ip]`. Undefined if the text contains no address. Time is linear in the length. Scrubbing a text twice
 * changes nothing more.
 */
export function scrub(text: string): Scrubbed | undefined {
  if (!SUSPICIOUS.test(text) && !hasForms(text)) return undefined;
  const cut = cutPlain(text);
  let view = cut.text;
  for (let round = 0; round < REVEAL_ROUNDS && (ENCODED.test(view) || hasForms(view)); round++) {
    view = reveal(view);
    const hidden = cutPlain(view);
    if (!hidden.email && !hidden.address) continue;
    return {
      text: hidden.email ? "[email]" : "[ip]",
      email: cut.email || hidden.email,
      address: cut.address || hidden.address,
    };
  }
  return cut.email || cut.address ? cut : undefined;
}

/**
 * Cuts IPv6 before IPv4 addresses, because an IPv6 address may contain an IPv4 address. Cuts IP addresses
 * before e-mail addresses: `bob@10.0.0.1` becomes `bob@[ip]`, which then counts as an e-mail address.
 */
function cutPlain(text: string): Scrubbed {
  const withoutIpv6 = TWO_COLONS.test(text) ? text.replace(IPV6, cutIpv6) : text;
  const withoutAddresses = withoutIpv6.includes(".")
    ? withoutIpv6.replace(/\d[\d.]*/g, cutIpv4)
    : withoutIpv6;
  const withoutEmails = AT.test(withoutAddresses)
    ? withoutAddresses.replace(WORD, cutEmail)
    : withoutAddresses;
  return {
    text: withoutEmails,
    email: withoutEmails !== withoutAddresses,
    address: withoutAddresses !== text,
  };
}

/** Keeps candidates such as `std::dead` in program text: an address contains a digit or four groups. */
function cutIpv6(candidate: string): string {
  const groups = candidate.match(/[0-9a-f]+/gi) ?? [];
  return /\d/.test(candidate) || groups.length >= 4 ? "[ip]" : candidate;
}

/**
 * Cuts the first four consecutive bytes and everything after them, except a dot at the end, from a run of
 * digits and dots: `10.0.0.1.5432` ends in a port.
 */
function cutIpv4(run: string): string {
  if (run.length < 7) return run;
  const parts = run.split(".");
  let bytes = 0;
  for (const [index, part] of parts.entries()) {
    bytes = part !== "" && Number(part) <= 255 ? bytes + 1 : 0;
    if (bytes < 4) continue;
    const before = parts.slice(0, index - 3).map((kept) => `${kept}.`);
    return `${before.join("")}[ip]${run.endsWith(".") ? "." : ""}`;
  }
  return run;
}

/**
 * Keeps `npm@10` and `@name`, which are not e-mail addresses: there must be a letter or digit somewhere
 * before the @, and a letter somewhere after it.
 */
function cutEmail(word: string): string {
  if (!AT.test(word)) return word;
  const local = word.slice(word.search(/[\p{L}\p{N}]/u));
  const at = local.search(AT);
  return at > 0 && /\p{L}/u.test(local.slice(at)) ? "[email]" : word;
}

/**
 * Decodes one layer of percent-encoding, HTML entities (numeric ones, `&commat;` and `&amp;`) and Unicode
 * compatibility forms in a text.
 */
function reveal(text: string): string {
  const decoded = text
    .replace(/(?:%[0-9a-f]{2})+/gi, decodePercent)
    .replace(/&#(x[0-9a-f]{1,6}|\d{1,7});?/gi, (_entity, code: string) => decodePoint(code))
    .replace(/&commat;?/gi, "@")
    .replace(/&amp;/gi, "&");
  return revealForms(decoded);
}

function decodePercent(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    // The bytes are not UTF-8, but their ASCII characters still count.
    return run.replace(/%([0-7][0-9a-f])/gi, (_byte, hex: string) => decodePoint(`x${hex}`));
  }
}

function decodePoint(code: string): string {
  const point = Number(/^x/i.test(code) ? `0${code}` : code);
  return point <= 0x10ffff ? String.fromCodePoint(point) : "";
}

/**
 * Returns a pattern for the forms of RFC 4291 section 2.2. Those with the most groups before the `::` come
 * first.
 */
function toIpv6Pattern(group: string): string {
  const forms = [`(?:${group}:){7}(?:${group}|:)`, `(?:${group}:){6}(?:${V4}|:${group}|:)`];
  for (let before = 5; before >= 0; before--) {
    const head = before === 0 ? ":" : `(?:${group}:){${before}}`;
    const most = 7 - before;
    forms.push(`${head}(?:(?::${group}){0,${most - 2}}:${V4}|(?::${group}){1,${most}}|:)`);
  }
  return `(?:${forms.join("|")})`;
}
