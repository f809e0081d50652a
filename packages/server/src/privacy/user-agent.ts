/** Reduces a user agent to its browser and system families. */
import Bowser from "bowser";
import { isbot } from "isbot";
import { memoize } from "./memo.ts";

const MAX_LENGTH = 1024;
const MEMO = { slots: 1024, keyLength: 512, ageMs: 600_000 };

/**
 * For an unknown browser, bowser returns a part of the text itself, so only names from bowser's list are
 * accepted.
 */
const BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP));
const SYSTEMS = new Set(Object.values(Bowser.OS_MAP));
/**
 * Every possible result. A result passed in again is returned unchanged, because isbot would classify
 * `Firefox on Linux` as a bot.
 */
const FAMILIES = new Set([
  "bot",
  "unknown",
  ...BROWSERS,
  ...[...BROWSERS].flatMap((browser) => [...SYSTEMS].map((system) => `${browser} on ${system}`)),
]);

/**
 * Returns the families of a user agent: `Chrome on macOS`; `Firefox` if the system is unknown; `bot` if it is
 * not a person's browser; otherwise `unknown`. A result passed in again is returned unchanged. A result
 * contains only names from a fixed list. Recent results are remembered for up to ten minutes (parsing takes
 * about 8 µs).
 */
export const toFamilies: (userAgent: string) => string = memoize(parseFamilies, MEMO);

function parseFamilies(userAgent: string): string {
  if (FAMILIES.has(userAgent)) return userAgent;
  if (userAgent === "" || userAgent.length > MAX_LENGTH) return "unknown";
  if (isbot(userAgent)) return "bot";
  const parser = Bowser.getParser(userAgent, true);
  const browser = parser.getBrowserName();
  const system = parser.getOSName();
  if (!BROWSERS.has(browser)) return "unknown";
  return SYSTEMS.has(system) ? `${browser} on ${system}` : browser;
}
