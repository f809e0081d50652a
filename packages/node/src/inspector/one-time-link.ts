/**
 * Owns one-time links to an inspector, and the short sessions of the browsers that opened them. Both are kept
 * only in memory.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";

const DEFAULT_MINUTES = 5;
const MAX_MINUTES = 60;
const SESSION_MINUTES = 30;
const MINUTE_MS = 60_000;
/** Maximum number of unopened links, and of sessions. The oldest is discarded first. */
const MAX_OPEN = 20;
const TOKEN_BYTES = 32;
const LINK = /^\/link-([\w-]{43})$/;

export interface OneTimeLinkOptions {
  /** How many minutes the link works, 1 to 60; any other value counts as 5. @default 5 */
  readonly validMinutes?: number | undefined;
}

/** Tokens that expire. Only their hashes are kept, and comparison takes constant time. */
class Tokens {
  readonly #clock: Pick<Clock, "monotonic">;
  #held: readonly { readonly hash: Buffer; readonly untilMs: number }[] = [];

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Makes a token that is valid for some minutes. If there are too many, discards the oldest. */
  add(minutes: number): string {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const untilMs = this.#clock.monotonic() + minutes * MINUTE_MS;
    this.#held = [...this.#valid(), { hash: toHash(token), untilMs }].slice(-MAX_OPEN);
    return token;
  }

  has(token: string): boolean {
    const hash = toHash(token);
    return this.#valid().filter((held) => timingSafeEqual(held.hash, hash)).length > 0;
  }

  /** Returns whether the token was valid, and invalidates it. */
  take(token: string): boolean {
    const isHeld = this.has(token);
    const hash = toHash(token);
    this.#held = this.#valid().filter((held) => !timingSafeEqual(held.hash, hash));
    return isHeld;
  }

  #valid() {
    const nowMs = this.#clock.monotonic();
    return this.#held.filter(({ untilMs }) => nowMs < untilMs);
  }
}

/** The links and sessions of one inspector. */
export class OneTimeLinks {
  readonly #links: Tokens;
  readonly #sessions: Tokens;
  /**
   * Random, because browsers send a cookie to every port of a host, and two products on one host must not
   * overwrite each other's cookie.
   */
  readonly #cookieName = `candor-inspector-${randomBytes(4).toString("hex")}`;

  /**
   * @param clock links and sessions expire by its monotonic time, so setting the machine's clock does not
   * extend them
   */
  constructor(clock: Pick<Clock, "monotonic">) {
    this.#links = new Tokens(clock);
    this.#sessions = new Tokens(clock);
  }

  /** Makes a link. @returns its path below the inspector's own */
  make({ validMinutes }: OneTimeLinkOptions = {}): string {
    const isUsable = typeof validMinutes === "number" && validMinutes >= 1 && validMinutes <= MAX_MINUTES;
    return `/link-${this.#links.add(isUsable ? validMinutes : DEFAULT_MINUTES)}`;
  }

  /**
   * Whether a request opens a valid link or belongs to a session. Does not use up the link.
   * @param path below the inspector's own
   */
  admits(path: string, request: IncomingMessage): boolean {
    const token = toToken(path);
    return token === undefined ? this.#isOfSession(request) : this.#links.has(token);
  }

  /** Uses up a link. @returns the cookie of a new session; undefined if the link is not valid */
  open(path: string, request: IncomingMessage): string | undefined {
    const token = toToken(path);
    if (token === undefined || !this.#links.take(token)) return undefined;
    // There is no Path attribute, so the browser uses the folder of the link's URL. That is the inspector's
    // folder, even if a proxy changes the prefix of its path.
    const session = `${this.#cookieName}=${this.#sessions.add(SESSION_MINUTES)}`;
    const attributes = [session, `Max-Age=${SESSION_MINUTES * 60}`, "HttpOnly", "SameSite=Strict"];
    return [...attributes, ...(isOverTls(request) ? ["Secure"] : [])].join("; ");
  }

  #isOfSession({ headers: { cookie = "" } }: IncomingMessage): boolean {
    const tokens = cookie.split(";").flatMap((pair) => {
      const [name, value] = pair.trim().split("=", 2);
      return name === this.#cookieName && value !== undefined ? [value] : [];
    });
    return tokens.some((token) => this.#sessions.has(token));
  }
}

/** Whether a path below the inspector's own has the form of a link. */
export function isLink(path: string): boolean {
  return toToken(path) !== undefined;
}

function toToken(path: string): string | undefined {
  return LINK.exec(path)?.[1];
}

function toHash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * Whether the browser reaches the product over TLS. If a proxy claims TLS wrongly, the browser does not keep
 * the cookie, and only the session is lost.
 */
function isOverTls({ socket, headers }: IncomingMessage): boolean {
  const [scheme = ""] = String(headers["x-forwarded-proto"] ?? "").split(",");
  return "encrypted" in socket || scheme.trim().toLowerCase() === "https";
}
