/**
 * Defines the custom element `<candor-consent>`, which asks a person whether this browser may send. It is not
 * part of the core bundle.
 */
import type { Client, Status } from "./client.ts";

const SHARED = Symbol.for("candor");
/** The localStorage key of a No, which is stored so that the person is not asked again. */
const NO = "candor-consent";

const STYLE = `
:host { display: none; }
:host([open]) { display: block; position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483000; width: min(26rem, calc(100vw - 2rem));
  max-height: calc(100vh - 2rem); overflow: auto; box-sizing: border-box; padding: 1.25rem; border: 1px solid var(--candor-border, #c9ced6);
  border-radius: var(--candor-radius, 10px); background: var(--candor-background, #fff); color: var(--candor-color, #1c2430);
  font: var(--candor-font, 15px/1.5 system-ui, sans-serif); box-shadow: var(--candor-shadow, 0 6px 24px rgb(0 0 0 / 0.16)); }
:host([open][inline]) { position: static; width: auto; box-shadow: none; }
h2 { margin: 0 0 0.5rem; font-size: 1.1em; } p { margin: 0 0 0.75rem; } ul { margin: 0.5rem 0 0; padding-left: 1.2rem; }
details { margin: 0 0 0.75rem; } li { overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 0.85em; }
a, summary { color: var(--candor-link, #0b57a4); } summary { cursor: pointer; }
div { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
button { min-height: 2.75rem; padding: 0.5rem 1rem; border: 1px solid var(--candor-button-border, #59636e); border-radius: var(--candor-radius, 10px);
  background: var(--candor-button, transparent); color: inherit; font: inherit; font-weight: 600; cursor: pointer; }
button:hover { background: var(--candor-button-hover, #eef1f5); }
button[aria-pressed="true"] { border-width: 2px; }
:focus-visible { outline: 3px solid var(--candor-focus, #0b57a4); outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  :host([open]) { border-color: var(--candor-border, #434c58); background: var(--candor-background, #1b2027); color: var(--candor-color, #e8ebef); }
  a, summary { color: var(--candor-link, #8ec3ff); } button { border-color: var(--candor-button-border, #98a2ae); }
  button:hover { background: var(--candor-button-hover, #2a313a); } :focus-visible { outline-color: var(--candor-focus, #8ec3ff); }
}`;

/**
 * Opens if the instance, or the page (`consent: "ask"`), leaves the choice to each person, unless this
 * browser refuses by itself (GPC or DNT), or has stored a No, or a Yes that covers the current plan. With the
 * attribute `settings`, the element is always open and shows the current answer, so that the person can
 * change it.
 *
 * Attributes: `settings`, `inline` (shown in place instead of in the window's corner), `href` (the page about
 * what is collected; default: the gateway's page). Slots: `title`, `text`. Events: `candor-answer` with
 * `detail: { answer: "yes" | "no" }`.
 * CSS variables: `--candor-background`, `-color`, `-border`, `-radius`, `-font`, `-shadow`, `-link`,
 * `-focus`, `-button`, `-button-border`, `-button-hover`.
 */
export class CandorConsent extends HTMLElement {
  connectedCallback(): void {
    const client = clientOf(window);
    if (client !== undefined) void this.#show(client);
    // A later script may still load the core.
    else if (document.readyState !== "complete")
      window.addEventListener("load", () => this.connectedCallback(), { once: true });
  }

  async #show(client: Client): Promise<void> {
    const status = await client.status();
    const isSettings = this.hasAttribute("settings");
    if (!isSettings && (!isUndecided(status) || isNoKept())) return;
    this.#render(client, status, isSettings);
    this.setAttribute("open", "");
  }

  #render(client: Client, status: Status, isSettings: boolean): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const product = status.product ?? "This product";
    const title = element("h2", { id: "title" }, slot("title", `May ${product} count what you use?`));
    const text = slot(
      "text",
      `If you say Yes, this browser tells ${product}'s makers which of its pages you open and which of its buttons you click. It can send only what the plan declares, which you can read in full. Nothing is sent before a Yes.`,
    );
    const link = element(
      "a",
      { href: this.getAttribute("href") ?? `${client.endpoint}/v1/plan`, target: "_blank" },
      "All that is collected, and why",
    );
    const names = (status.plan?.events ?? []).map(({ name }) => element("li", {}, name));
    const more = element(
      "details",
      {},
      element("summary", {}, "The events, by name"),
      element("ul", {}, ...names),
    );
    const button = (label: string, answer: "yes" | "no"): HTMLElement => {
      const isChosen = isSettings && (status.verdict === "yes") === (answer === "yes");
      const made = element(
        "button",
        { type: "button", ...(isSettings && { "aria-pressed": String(isChosen) }) },
        label,
      );
      made.addEventListener("click", () => void this.#answer(client, answer, isSettings));
      return made;
    };
    const buttons = element("div", {}, button("Yes", "yes"), button("No", "no"));
    const region = element(
      "section",
      { "aria-labelledby": "title" },
      title,
      element("p", {}, text),
      more,
      element("p", {}, link),
      buttons,
    );
    root.replaceChildren(region);
    addStyle(root);
  }

  async #answer(client: Client, answer: "yes" | "no", isSettings: boolean): Promise<void> {
    keepNo(answer === "no");
    this.removeAttribute("open");
    await client.consent(answer === "yes");
    this.dispatchEvent(new CustomEvent("candor-answer", { detail: { answer }, bubbles: true }));
    if (isSettings) await this.#show(client);
  }
}

function clientOf(page: Window & { [SHARED]?: Client }): Client | undefined {
  return page[SHARED];
}

function element(
  tag: string,
  attributes: Record<string, string>,
  ...children: (Node | string)[]
): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function slot(name: string, text: string): HTMLElement {
  return element("slot", { name }, text);
}

/**
 * Adds the style, if possible as a constructed sheet, because a strict content security policy forbids inline
 * styles.
 */
function addStyle(root: ShadowRoot): void {
  if (!("adoptedStyleSheets" in root)) return void (root as ShadowRoot).append(element("style", {}, STYLE));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
}

/** Whether only this person's Yes is missing. */
function isUndecided({ verdict, ask, allow }: Status): boolean {
  return verdict === "undecided" && (ask === true || allow);
}

function isNoKept(): boolean {
  try {
    return localStorage.getItem(NO) !== null;
  } catch {
    return false;
  }
}

function keepNo(isNo: boolean): void {
  try {
    if (isNo) localStorage.setItem(NO, "no");
    else localStorage.removeItem(NO);
  } catch {
    // No storage: the person is asked again on the next page.
  }
}

if (!customElements.get("candor-consent")) customElements.define("candor-consent", CandorConsent);
