/** Decides whether a messageId is plainly an id or might reveal something. */
/** Prefix of a messageId that was replaced by its keyed hash. */
export const HASHED_MESSAGE_ID = "hashed-";

/** The alphabet of ids. */
const ALPHABET = /^[A-Za-z0-9._:-]+$/;

/** Most ids: a prefix of words, then digits, hex, base 62 and dashes. No dot, colon or underscore. */
const PLAIN = /^[A-Za-z0-9-]+$/;
/** The characters of UUIDs and hashes, the usual ids. No secret's mark consists of these alone. */
const IS_HEX_OR_DASH = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-f-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** Keys of well-known services, and common names for keys. */
const SECRET =
  /(?:^|[^A-Za-z0-9])(?:(?:sk|pk|rk|tok|token|secret|apikey|glpat|xox[a-z]|bearer|password)[-_]|(?:key|api_key|pat|gh[opsur]|github_pat|npm|hf|whsec)_|AKIA|ASIA|AIza|eyJ)/;

/** Patterns that fit the alphabet but are not ids: addresses and host names. */
const REVEALING: readonly RegExp[] = [
  /\d{1,3}(?:\.\d{1,3}){3}/, // an IPv4 address
  /:[0-9a-f]*:/i, // an IPv6 address
  /(?:^|[^a-z0-9-])[a-z0-9-]+\.(?:[a-z0-9-]+\.)*[a-z]{3,}(?:$|[^a-z0-9-])/i, // host.corp, www.host.example
  /(?:^|[^a-z0-9-])[a-z0-9-]+\.[a-z0-9-]+\.[a-z]{2}(?:$|[^a-z0-9-])/i, // www.host.io
];

/**
 * Whether a messageId that a client sent is plainly an id and may be kept as it is. People put addresses and keys
 * there, so anything that looks like one is kept only as a keyed hash.
 */
export function isPlainMessageId(messageId: string): boolean {
  if (isHexAndDashes(messageId)) return true;
  if (SECRET.test(messageId)) return false;
  if (PLAIN.test(messageId)) return true;
  return ALPHABET.test(messageId) && !REVEALING.some((form) => form.test(messageId));
}

function isHexAndDashes(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (IS_HEX_OR_DASH[text.charCodeAt(i)] !== 1) return false;
  return text !== "";
}
