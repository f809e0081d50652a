import Bowser from "bowser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toFamilies } from "./user-agent.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

test.each([
  // The user agent in a sample event of the reference product.
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) ${WEBKIT} Chrome/86.0.4240.111 Safari/537.36`,
    "Chrome on macOS",
  ],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox on Windows"],
  [`${IPHONE} Version/17.0 Mobile/15E148 Safari/604.1`, "Safari on iOS"],
  [`${IPHONE} CriOS/120.0.0.0 Mobile/15E148 Safari/604.1`, "Chrome on iOS"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/120.0.0.0 Safari/537.36`, "Chrome on Linux"],
  [
    `Mozilla/5.0 (Linux; Android 13; SM-S918B) ${WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36`,
    "Chrome on Android",
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/120.0 Safari/537.36 Edg/120.0`,
    "Microsoft Edge on Windows",
  ],
  ["Mozilla/5.0 (X11; FreeBSD amd64; rv:100.0) Gecko/20100101 Firefox/100.0", "Firefox"],
  ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"],
  ["curl/8.0", "bot"],
  ["SecretApp/1.0 (bob@example.com)", "bot"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) SecretApp/1.0", "unknown"],
  ["", "unknown"],
  [`Mozilla/5.0 (Windows NT 10.0; rv:120.0) Gecko/20100101 Firefox/120.0 ${"a".repeat(1024)}`, "unknown"],
])("%j becomes %s", (userAgent, families) => {
  expect(toFamilies(userAgent)).toBe(families);
  expect(toFamilies(userAgent)).toBe(families);
});

test("the result contains only names from the fixed list", () => {
  const browsers = Object.values(Bowser.BROWSER_MAP);
  const systems = Object.values(Bowser.OS_MAP);
  const allowed = new Set(["bot", "unknown", ...browsers]);
  for (const browser of browsers) for (const system of systems) allowed.add(`${browser} on ${system}`);
  const piece = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[A-Z][a-z]{3,9}\/[0-9.]{1,6}$/),
    fc.constantFrom(
      "Mozilla/5.0",
      "(Macintosh; Intel Mac OS X 10_14_6)",
      "(X11; Linux)",
      "Version/17.0",
      "Safari/1",
      "Chrome/86.0",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const families = toFamilies(pieces.join(" "));
      expect(toFamilies(families)).toBe(families);
      expect(allowed.has(families) ? "allowed" : families).toBe("allowed");
    }),
    { numRuns: 2000 },
  );
});

test.each(["a", "/", "(", " ", ";", "Mozilla/", "Version/", "0.", "Android ", "like ", "Safari/1 "])(
  "the longest user agent made of %j is parsed",
  (piece) => {
    expect(toFamilies(`Mozilla/5.0 ${piece.repeat(1000 / piece.length)}`)).toMatch(/^(bot|unknown|[A-Z].*)$/);
  },
);
