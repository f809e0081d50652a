/** For tests: drives Chromium, Firefox and WebKit, each a real browser with a fresh profile, through one interface. */
import { startPuppeteer } from "./puppeteer.ts";
import { startWebKit } from "./webkit.ts";

export const BROWSERS = ["chromium", "firefox", "webkit"] as const;
export type BrowserName = (typeof BROWSERS)[number];

export interface RigBrowser {
  readonly name: BrowserName;
  readonly version: string;
  /** Opens a tab. All tabs share one profile. */
  readonly openTab: (url: string) => Promise<RigTab>;
  /** Ends every process of the browser. */
  readonly close: () => Promise<void>;
}

export interface RigTab {
  /** Resolves once the page has loaded. */
  readonly goto: (url: string) => Promise<void>;
  /**
   * Runs a script in the page.
   * @param script the body of an async function whose result can be serialised as JSON
   */
  readonly evaluate: <Result>(script: string) => Promise<Result>;
  /** Clicks as a person does. @param key a key that is held down during the click */
  readonly click: (selector: string, key?: "Control" | "Shift") => Promise<void>;
  readonly type: (selector: string, text: string) => Promise<void>;
  readonly press: (key: "Tab" | "Enter") => Promise<void>;
  readonly back: () => Promise<void>;
  readonly reload: () => Promise<void>;
  /** A screenshot of the page, as PNG. */
  readonly screenshot: () => Promise<Uint8Array>;
  /** Closes the tab at once. */
  readonly close: () => Promise<void>;
}

export function startBrowser(name: BrowserName): Promise<RigBrowser> {
  return name === "webkit" ? startWebKit() : startPuppeteer(name);
}
