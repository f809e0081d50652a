/** Owns whether this page may send: the browser's signals, the page's word, the instance's answer, the person's. */
import type { BrowserPlan } from "./plan.ts";
import type { Store } from "./storage.ts";

/** What the gateway answers to `GET /v1/consent`. */
export interface Told {
  readonly allow: boolean;
  /** The gateway's reason in a word; absent if no gateway answered. */
  readonly reason?: string;
  /** Somebody said No: what this browser keeps must go. */
  readonly refused?: boolean;
  /** The instance allows it, and each person has to be asked. */
  readonly ask?: boolean;
  readonly plan?: BrowserPlan;
  /** The newest version of the plan that added to it: a Yes for an earlier one does not cover it all. */
  readonly since?: number;
  readonly product?: string;
}

/** `undecided`: nobody has refused, and nobody has said Yes. */
export type Verdict = "yes" | "no" | "undecided";

export interface Gate {
  readonly verdict: () => Verdict;
  /** What the instance said last. */
  readonly told: () => Told;
  /** Asks the instance, without cookies; at most hourly, unless it must be asked now. Never rejects. */
  readonly ask: (isNow?: boolean) => Promise<void>;
  /** Takes the person's answer, or the page's for them. A Yes is remembered; a No leaves nothing behind. */
  readonly answer: (isYes: boolean) => Promise<void>;
  /** Deletes all that this browser keeps. */
  readonly forget: () => void;
}

const ASK_AGAIN_MS = 3_600_000;
/** Where the person's Yes is kept: the `since` of what it was given for. */
const YES = "yes";

/**
 * @param endpoint the gateway's path
 * @param consent the page's own word; `ask`: its person's; undefined if it leaves the answer to the instance
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
      // A proxy before the product answers 204 if the operator has turned telemetry off.
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
      // Not by the Cookie Store API, which needs HTTPS and a newer browser. Its path hides the cookie from this page.
      // biome-ignore lint/suspicious/noDocumentCookie: see above
      if (agreedVersion() > 0) document.cookie = `candor-consent=;max-age=0;path=${endpoint || "/"}`;
      for (const key of store.keys()) store.remove(key);
    },
  };
  return gate;
}

/** Has the gateway keep the Yes where it sees it with each message. */
async function isKept(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "POST", body: '{"answer":"yes"}' });
    return (await response.json()).stored;
  } catch {
    return false;
  }
}

/** Whether the browser itself says No: Global Privacy Control, Do Not Track. */
function isObjected(): boolean {
  const browser = navigator as Navigator & { globalPrivacyControl?: boolean; doNotTrack?: string | null };
  return browser.globalPrivacyControl === true || browser.doNotTrack === "1";
}
