/**
 * Decides whether this page may send, from the browser's signals and the answers of the page, the instance
 * and the person.
 */
import type { BrowserPlan } from "./plan.ts";
import type { Store } from "./storage.ts";

/** The gateway's answer to `GET /v1/consent`. */
export interface Told {
  readonly allow: boolean;
  /** The gateway's reason, as a code; absent if the gateway has not answered, or a proxy answered instead. */
  readonly reason?: string;
  /** Somebody said No, so everything that the SDK has stored in this browser must be deleted. */
  readonly refused?: boolean;
  /** The instance allows sending, but each person has to be asked. */
  readonly ask?: boolean;
  readonly plan?: BrowserPlan;
  /** The newest plan version that added something to collect. A Yes to an older version does not cover it. */
  readonly since?: number;
  readonly product?: string;
}

/** `undecided`: nobody has said No, but a Yes is still missing, or the instance has not answered. */
export type Verdict = "yes" | "no" | "undecided";

export interface Gate {
  readonly verdict: () => Verdict;
  /** The instance's last answer; `allow: false` if it has not answered. */
  readonly told: () => Told;
  /**
   * Asks the instance, without cookies, at most once an hour unless `isNow` is true. Does not ask while the
   * page or the browser itself says No. Never rejects.
   */
  readonly ask: (isNow?: boolean) => Promise<void>;
  /**
   * Records the person's answer. A No is not stored. A Yes is stored in this browser, unless somebody has
   * refused or the instance has not answered; if the instance asks each person, it is stored only once the
   * gateway has set its cookie.
   */
  readonly answer: (isYes: boolean) => Promise<void>;
  /** Deletes everything that the SDK has stored in this browser. */
  readonly forget: () => void;
}

const ASK_AGAIN_MS = 3_600_000;
/** The storage key of the person's Yes. The value is the `since` of the plan to which the person agreed. */
const YES = "yes";

/**
 * Opens the gate. It makes no request until `ask` or `answer` is called.
 * @param endpoint the gateway's path
 * @param consent the page's own answer; `ask` if the person is to be asked; undefined if the instance decides
 */
export function openGate(endpoint: string, store: Store, consent: boolean | "ask" | undefined): Gate {
  const url = `${endpoint}/v1/consent`;
  let told: Told = { allow: false };
  let page = consent;
  let askedAtMs = 0;
  let asking: Promise<void> | undefined;

  const isRefused = (): boolean => page === false || told.refused === true || isObjected();
  const agreedVersion = (): number => Number(store.get(YES) ?? 0);
  const verdict = (): Verdict => {
    if (isRefused()) return "no";
    const isAsked = told.ask === true || consent === "ask";
    const isAgreed = !isAsked || agreedVersion() >= (told.since ?? 1);
    return (told.allow || told.ask === true) && isAgreed ? "yes" : "undecided";
  };
  const ask = async (): Promise<void> => {
    try {
      const response = await fetch(url, { credentials: "omit", cache: "no-store" });
      // A proxy in front of the product answers 204 if the operator has turned telemetry off.
      const isOff = response.status === 204;
      told = isOff ? { allow: false, refused: true } : await response.json();
    } catch {
      told = { allow: false };
    }
  };
  const gate: Gate = {
    verdict,
    told: () => told,
    ask: async (isNow) => {
      if (page === false || isObjected()) return;
      if (isNow || Date.now() - askedAtMs > ASK_AGAIN_MS) {
        askedAtMs = Date.now();
        asking = ask();
      }
      return asking;
    },
    answer: async (isYes) => {
      page = isYes;
      if (!isYes) return;
      await gate.ask();
      const { since } = told;
      if (isRefused() || since === undefined || agreedVersion() >= since) return;
      if (!told.ask || (await isKept(url))) store.set(YES, `${since}`);
    },
    forget: () => {
      // The Cookie Store API would need HTTPS and a newer browser. This page cannot read the cookie, because
      // of the cookie's path, but can delete it.
      // biome-ignore lint/suspicious/noDocumentCookie: see above
      if (agreedVersion() > 0) document.cookie = `candor-consent=;max-age=0;path=${endpoint || "/"}`;
      for (const key of store.keys()) store.remove(key);
    },
  };
  return gate;
}

/**
 * Asks the gateway to store the Yes in a cookie, which then accompanies each batch.
 * @returns whether the gateway stored it
 */
async function isKept(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "POST", body: '{"answer":"yes"}' });
    return (await response.json()).stored;
  } catch {
    return false;
  }
}

/** Whether the browser itself says No, by Global Privacy Control or Do Not Track. */
function isObjected(): boolean {
  const browser = navigator as Navigator & { globalPrivacyControl?: boolean; doNotTrack?: string | null };
  return browser.globalPrivacyControl === true || browser.doNotTrack === "1";
}
