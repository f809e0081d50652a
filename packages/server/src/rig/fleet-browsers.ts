/** For tests: generates what the browsers of a random fleet's instances send. */
import type { JsonObject } from "@candor/envelope";
import type { Add, Dice, FleetMessage } from "./fleet.ts";

const HALF_HOUR_MS = 1_800_000;

export interface FleetBrowser {
  /** The browser's random id; "" if its messages have none. */
  readonly anonymousId: string;
  readonly locale: string;
  /** As the collector stores it: `Firefox on Linux`, `bot`. */
  readonly userAgent: string;
  /** The route of the page that was open. */
  readonly route: string;
}

const LOCALES = ["en-US", "de-DE", "hi-IN", ""] as const;
/** A user agent as a browser sends it, which a plan may keep. */
export const KEPT_USER_AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
const USER_AGENTS = [
  KEPT_USER_AGENT,
  "Chrome on Linux",
  "Chrome on macOS",
  "Firefox on Linux",
  "Microsoft Edge on Windows",
  "bot",
  "",
] as const;
/** An id that browsers of several instances have. */
const SHARED_BROWSER = "shared";
const PAGES = [
  ["LOGIN_PAGE_LOAD", "/user/login"],
  ["APPLICATIONS_PAGE_LOAD", "/applications"],
  ["EDITOR_PAGE_LOAD", "/app/:app/:page/edit"],
  ["DATASOURCES_PAGE_LOAD", "/app/:app/:page/edit/datasources"],
  ["DATASOURCES_PAGE_LOAD", "/app/:app/:page/edit/datasource/:datasource"],
  ["VIEWER_PAGE_LOAD", ""],
] as const;
const CLICKS = ["RUN_QUERY_CLICK", "DEPLOY_CLICK", "INVITE_USER_CLICK"] as const;

/**
 * Adds what an instance's browsers send, in visits. The pauses within a visit are of any length up to half an
 * hour, and some are just below or above.
 */
export function addBrowsers({ random, pick, hex }: Dice, own: readonly FleetMessage[], add: Add): void {
  const [firstMs = 0, lastMs = 0] = [own[0]?.atMs, own.at(-1)?.atMs];
  const isNamed = random() < 0.9;
  for (let browsers = 1 + Math.floor(random() * 3); browsers > 0; browsers--) {
    const browser = {
      anonymousId: pick([hex(32), hex(32), SHARED_BROWSER, ""]),
      userAgent: pick(USER_AGENTS),
    };
    for (let visits = Math.floor(random() * 12); visits > 0; visits--) {
      let atMs = Math.floor(firstMs + random() * (lastMs - firstMs));
      const locale = pick(LOCALES);
      for (let steps = 1 + Math.floor(random() * 8); steps > 0; steps--) {
        const [opened, route] = pick(PAGES);
        const event = random() < 0.6 ? opened : random() < 0.9 ? pick(CLICKS) : "Web Vitals";
        const id = isNamed ? (own[0]?.id ?? "") : "";
        const properties = isNamed ? { instanceId: id } : {};
        const country = own[0]?.country ?? "";
        add({
          source: "client",
          event,
          id,
          browser: { ...browser, locale, route },
          atMs,
          country,
          properties,
        });
        atMs +=
          Math.floor(HALF_HOUR_MS * (random() < 0.2 ? pick([1, 1, 1.0001, 0.9999]) : random() ** 3)) +
          pick([0, 1]);
      }
    }
  }
}

/** Returns the context of a message, which is empty if it is not from a browser. */
export function contextOf(browser: FleetBrowser | undefined): JsonObject {
  if (browser === undefined) return {};
  const { locale, userAgent, route: path } = browser;
  return { locale, userAgent, page: { path } };
}
