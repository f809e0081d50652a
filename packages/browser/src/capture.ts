/** Reports the page views and clicks that the plan declares. Never reads the text or value of a control. */
import { type BrowserEvent, type BrowserPlan, findPage, type Page, type Values } from "./plan.ts";

export interface Watched {
  /**
   * Called for the first page, for each page whose template differs from the previous page's, and when a page
   * is restored from the back/forward cache. For a hidden page, called only after it has become visible.
   * @param page undefined if the plan does not name the page
   */
  readonly onPage: (page: Page | undefined) => void;
  readonly onClick: (event: BrowserEvent, properties: Values) => void;
  /** Called when the page is hidden or left. The page may be gone afterwards. */
  readonly onLeave: () => void;
  /** Called when the page is restored, with its state, from the back/forward cache. */
  readonly onReturn: () => void;
}

/** Starts watching the page. @returns a function that stops watching */
export function watch(
  plan: () => BrowserPlan,
  { onPage, onClick, onLeave, onReturn }: Watched,
): () => undefined {
  /**
   * The last reported template; null before the first report, undefined if the plan does not name the page.
   */
  let shown: string | undefined | null = null;
  let isStopped = false;
  const check = (): void => {
    if (isStopped || document.visibilityState === "hidden") return; // in the background, or prerendered
    const page = findPage(plan(), location);
    if (page?.template === shown) return;
    shown = page?.template;
    onPage(page);
  };
  /**
   * Waits for the product's own code: an address that this code replaces at once does not count as a page.
   */
  const checkLater = (): void => void setTimeout(check, 0);
  const click = (event: Event): void => {
    const control = event.composedPath()[0];
    if (control instanceof Element) reportClick(plan(), control, onClick);
  };
  const hide = (): void => {
    if (document.visibilityState === "hidden") onLeave();
    else check();
  };
  const show = (event: PageTransitionEvent): void => {
    if (!event.persisted) return;
    shown = null;
    onReturn();
    check();
  };
  const stops = [
    listen(document, "click", click, { capture: true, passive: true }),
    listen(document, "visibilitychange", hide),
    listen(window, "pagehide", onLeave),
    listen(window, "pageshow", show as EventListener),
    listen(window, "popstate", checkLater),
    listen(window, "hashchange", checkLater),
    follow("pushState", checkLater),
    follow("replaceState", checkLater),
  ];
  check();
  return () => {
    isStopped = true;
    for (const stop of stops) stop();
    return undefined;
  };
}

function listen(
  target: EventTarget,
  type: string,
  listener: EventListener,
  options?: AddEventListenerOptions,
): () => void {
  target.addEventListener(type, listener, options);
  return () => target.removeEventListener(type, listener, options);
}

/**
 * Calls `callback` after each call of a `history` method. The returned function restores the method, unless
 * another library has wrapped it since. In that case our wrapper stays in place.
 */
function follow(name: "pushState" | "replaceState", callback: () => void): () => void {
  const original = history[name];
  const wrapped = function (this: History, ...given: Parameters<History["pushState"]>): void {
    original.apply(this, given);
    callback();
  };
  history[name] = wrapped;
  return () => {
    if (history[name] === wrapped) history[name] = original;
  };
}

function reportClick({ events }: BrowserPlan, clicked: Element, onClick: Watched["onClick"]): void {
  const named = closest(clicked, "[data-telemetry]");
  for (const event of events) {
    const isNamed = named?.dataset.telemetry === event.name && !event.type;
    const control = isNamed ? named : event.selector && closest(clicked, event.selector);
    if (control) onClick(event, propertiesOf(event, control));
  }
}

/** Like `Element.closest`, but returns null for a selector that this browser does not support. */
function closest(clicked: Element, selector: string): HTMLElement | null {
  try {
    return clicked.closest<HTMLElement>(selector);
  } catch {
    return null;
  }
}

/**
 * Reads properties from data attributes: `data-telemetry-plugin-type="DB"` sets the property `pluginType`.
 */
function propertiesOf({ fields }: BrowserEvent, { dataset }: HTMLElement): Values {
  return Object.fromEntries(
    fields.map((field) => [field, dataset[`telemetry${field.charAt(0).toUpperCase()}${field.slice(1)}`]]),
  );
}
