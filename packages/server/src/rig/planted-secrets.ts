/** For tests: creates secrets, and finds them in any encoding. */
import { createHash } from "node:crypto";

/**
 * Texts that the collector must never keep. Each place gets its own texts, so that a text that is found shows
 * where it was planted.
 */
export interface Secrets {
  /** Returns a new secret of each kind, for `place`. */
  allFor(place: string): readonly string[];
  /** Returns secrets of only those kinds that are also removed from declared texts. */
  addressesFor(place: string): readonly string[];
  /** Returns a secret of one kind. */
  one(kind: SecretKind, place: string): string;
  /**
   * Returns the SHA-256 of an e-mail address, made without a key. Anybody can reverse such a hash by trying
   * addresses.
   */
  bareHash(place: string): string;
  /** The bare hashes that were made, each with its place. */
  readonly bareHashes: ReadonlyMap<string, string>;
  placeOf(number: number): string | undefined;
}

/** Every secret that is not an IP address contains this word, followed by the secret's number. */
const WORD = "zqplant";
const V4_START = "198.18.";
const V6_START = "2001:db8:77aa:";

const KINDS = {
  email: (n: number) => `${WORD}${n}@mail.example`,
  encodedEmail: (n: number) => `${WORD}${n}%40mail.example`,
  ipv4: (n: number) => `${V4_START}${Math.floor(n / 250)}.${(n % 250) + 1}`,
  ipv6: (n: number) => `${V6_START}${(n + 1).toString(16)}:1:2:3:4`,
  mapped: (n: number) => `::ffff:${V4_START}${Math.floor(n / 250)}.${(n % 250) + 1}`,
  bracketed: (n: number) => `[${V6_START}${(n + 1).toString(16)}::1]:8080`,
  host: (n: number) => `${WORD}${n}.corp.internal`,
  query: (n: number) => `/reset?token=${WORD}${n}&next=%2F`,
  url: (n: number) => `https://${WORD}${n}:pass@host.example/?q=${WORD}${n}#${WORD}${n}`,
  token: (n: number) => `sk_live_${WORD}${n}`,
} as const;
export type SecretKind = keyof typeof KINDS;
const ALL = Object.keys(KINDS) as SecretKind[];
const ADDRESSES: readonly SecretKind[] = ["email", "encodedEmail", "ipv4", "ipv6", "mapped", "bracketed"];

export function createSecrets(): Secrets {
  const places: string[] = [];
  const bareHashes = new Map<string, string>();
  const make = (kind: SecretKind, place: string): string => {
    const number = places.push(`${place} (${kind})`) - 1;
    return KINDS[kind](number);
  };
  return {
    allFor: (place) => ALL.map((kind) => make(kind, place)),
    addressesFor: (place) => ADDRESSES.map((kind) => make(kind, place)),
    one: make,
    bareHash: (place) => {
      const hash = createHash("sha256").update(make("email", place)).digest("hex");
      bareHashes.set(hash, place);
      return hash;
    },
    bareHashes,
    placeOf: (number) => places[number],
  };
}

/**
 * The forms in which a secret may be found. The network of a planted address, which ends in 0 or `::`, may be
 * kept, and in a compressed file any bytes may follow it. So the patterns for plain addresses require what
 * only a whole address has: a last number that does not begin with 0, or a further colon.
 */
const FORMS: readonly RegExp[] = [
  new RegExp(`${WORD}(?<number>\\d*)`, "gi"),
  /198\.18\.(?<high>\d{1,3})\.(?<low>[1-9]\d{0,2})/g,
  /2001(?::|%3A)0?db8(?::|%3A)77aa(?::|%3A)(?<hex>[0-9a-f]+)(?::|%3A)/gi,
  /ffff(?::|%3A)c612(?::|%3A)[0-9a-f]/gi,
  ...[WORD, V4_START, V6_START].flatMap((text) => [
    new RegExp(Buffer.from(text).toString("hex"), "gi"),
    new RegExp(Buffer.from(text, "latin1").toString("hex").replace(/../g, "%$&"), "gi"),
    new RegExp([...text].map((char) => `${char}\\0`).join(""), "gi"),
    ...base64Forms(text).map((form) => new RegExp(form.replaceAll("+", "\\+"), "g")),
  ]),
];

/**
 * Returns how the text appears inside base64, at each of the three alignments, without the characters that
 * adjacent bytes affect.
 */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from("\0".repeat(before) + text).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const bits = (before + text.length) * 8;
    return encoded.slice(from, Math.floor(bits / 6));
  });
}

/** Returns the places whose secrets are found in a text, each place once, with the surrounding text. */
export function findSecrets(text: string, secrets: Secrets): string[] {
  const found = new Map<string, string>();
  for (const form of FORMS) {
    for (const match of text.matchAll(form)) {
      const place = secrets.placeOf(numberOf(match.groups ?? {})) ?? `somewhere (${form.source})`;
      const around = text.slice(Math.max(0, match.index - 60), match.index + 60);
      if (!found.has(place)) found.set(place, around);
      if (found.size >= 60) break;
    }
  }
  for (const [hash, place] of secrets.bareHashes) {
    // Looks for each half of the hex form (a pseudonym has that length), and for the raw bytes.
    const forms = [hash.slice(0, 32), hash.slice(32), Buffer.from(hash, "hex").toString("latin1")];
    if (forms.some((form) => text.includes(form))) found.set(place, "a bare hash");
  }
  return [...found].map(([place, around]) => `${place}: ${JSON.stringify(around)}`);
}

function numberOf({ number, high, low, hex }: Readonly<Record<string, string | undefined>>): number {
  if (number !== undefined && number !== "") return Number(number);
  if (high !== undefined) return Number(high) * 250 + Number(low) - 1;
  return hex === undefined ? -1 : Number.parseInt(hex, 16) - 1;
}
