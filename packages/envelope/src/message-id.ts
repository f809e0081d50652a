/** Decides whether a messageId is certainly an id, or might reveal something. */

/** The prefix of a messageId that was replaced by its keyed hash. */
export const HASHED_MESSAGE_ID = "hashed-";

/** The characters that an id may contain. */
const ALPHABET = /^[A-Za-z0-9._:-]+$/;

/** Matches most ids: only letters, digits and dashes, so no dot, colon or underscore. */
const PLAIN = /^[A-Za-z0-9-]+$/;
/**
 * The characters of UUIDs and hashes, which most ids are. No prefix in `SECRET` consists only of these
 * characters.
 */
const IS_HEX_OR_DASH = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-f-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** The prefixes of well-known services' keys, and common names for keys. */
const SECRET =
  /(?:^|[^A-Za-z0-9])(?:(?:sk|pk|rk|tok|token|secret|apikey|glpat|xox[a-z]|bearer|password)[-_]|(?:key|api_key|pat|gh[opsur]|github_pat|npm|hf|whsec)_|AKIA|ASIA|AIza|eyJ)/;

/** Matches texts that consist of id characters but contain an IP address or a host name. */
const REVEALING: readonly RegExp[] = [
  /\d{1,3}(?:\.\d{1,3}){3}/, // an IPv4 address
  /:[0-9a-f]*:/i, // an IPv6 address
  /(?:^|[^a-z0-9-])[a-z0-9-]+\.(?:[a-z0-9-]+\.)*[a-z]{3,}(?:$|[^a-z0-9-])/i, // host.corp, www.host.example
  /(?:^|[^a-z0-9-])[a-z0-9-]+\.[a-z0-9-]+\.[a-z]{2}(?:$|[^a-z0-9-])/i, // www.host.io
];

/**
 * Whether a messageId that a client sent is certainly an id and may be kept unchanged. Some clients put
 * addresses and keys there, so a messageId that looks like one, or contains characters that no id has, is
 * kept only as a keyed hash.
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
