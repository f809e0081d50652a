/** A messageId has fewer characters than this. */
export const MESSAGE_ID_LIMIT_CHARS = 100;

const HASH_LENGTH = 32;
/** As the collector names what it hashes itself. */
const HASHED = "hashed-";

const UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
/** What clients make: words, perhaps the time, then a UUID, hex or a KSUID: `ajs-next-1719412345678-<uuid>`, `api-<ksuid>`. */
const MADE_BY_CLIENTS = new RegExp(
  `^(?:[a-z]{1,12}-){0,3}(?:\\d{1,16}-)?(?:${UUID}|[0-9a-f]{32}|[0-3][0-9A-Za-z]{26})$`,
);

/**
 * The messageId as it is kept. People put e-mail addresses and keys there: what is not made by a client keeps its keyed
 * hash only, so that a message that is sent twice is still known by it. Undefined: a new one has to be made.
 */
export function reduceMessageId(
  messageId: string,
  keyedHash: ((value: string) => string) | undefined,
): string | undefined {
  if (MADE_BY_CLIENTS.test(messageId)) return messageId;
  if (keyedHash === undefined) return undefined;
  return `${HASHED}${keyedHash(messageId).slice(0, HASH_LENGTH)}`;
}
