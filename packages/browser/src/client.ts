/** Joins consent, capture and outbox: while the verdict is Yes the page is watched, otherwise nothing is. */
import { watch } from "./capture.ts";
import { openGate, type Told, type Verdict } from "./gate.ts";
import { openOutbox } from "./outbox.ts";
import {
  type BrowserEvent,
  type BrowserPlan,
  type EventsOf,
  findPage,
  type Given,
  type Page,
  pick,
  type Values,
} from "./plan.ts";
import { openStore, randomHex, randomUuid } from "./storage.ts";

export interface Options<P = unknown> {
  /** The path of the product's gateway, such as `/telemetry`, on the page's own origin. */
  readonly endpoint: string;
  /**
   * The page's own word, if it keeps its people's answers itself: nothing is sent before `true`. `"ask"`: nothing before
   * `consent(true)`, which this browser then remembers. @default the instance's answer
   */
  readonly consent?: boolean | "ask" | undefined;
  /** The plan, if the endpoint does not tell it. The type of a generated plan types `track`. */
  readonly plan?: (BrowserPlan & P) | undefined;
  /** The write key in the body, for an endpoint that needs one; a gateway does not. @default "client" */
  readonly writeKey?: string | undefined;
}

/** Whether anything is sent, and what the instance said. */
export interface Status extends Told {
  readonly verdict: Verdict;
}

/** A page's telemetry. No method throws, rejects or prints. */
export interface Client<P = unknown> {
  readonly endpoint: string;
  /** Sends an event that the plan declares for the client, with the properties that it declares. */
  readonly track: <E extends keyof EventsOf<P> & string>(event: E, ...given: Given<EventsOf<P>[E]>) => void;
  /** Says who is signed in, for messages from now on. It is kept on this page only, and hashed by the gateway. */
  readonly identify: (userId: string | undefined) => void;
  /** The person's answer. `false` deletes all that this browser keeps, at once, and tells nobody. */
  readonly consent: (isYes: boolean) => Promise<Status>;
  /** Resolves once the instance has been asked. */
  readonly status: () => Promise<Status>;
}

declare const CANDOR_VERSION: string;
const NOTHING: BrowserPlan = { version: 0, events: [], context: {} };
const MAX_EARLY_CALLS = 100;
/** One page has one client, however often the script is loaded. */
const SHARED = Symbol.for("candor");

/**
 * Starts telemetry on this page. Before the answer is known to be Yes, nothing happens but one request without
 * cookies that asks for it. A second call returns the first one's client.
 * @example
 * const telemetry = init({ endpoint: "/telemetry" });
 * telemetry.track("RUN_QUERY_CLICK", { pluginType: "DB" });
 */
export function init<P = unknown>(options: Options<P>): Client<P> {
  const shared = window as Window & { [SHARED]?: Client<P> };
  shared[SHARED] ??= start(options);
  return shared[SHARED];
}

function start<P>({ endpoint: given, consent, plan, writeKey = "client" }: Options<P>): Client<P> {
  const endpoint = given.replace(/\/+$/, "");
  const store = openStore(`candor:${endpoint}:`);
  const gate = openGate(endpoint, store, consent);
  const outbox = openOutbox(`${endpoint}/v1/batch`, writeKey, store, gate, () => apply());
  const planNow = (): BrowserPlan => gate.told().plan ?? plan ?? NOTHING;
  const place = followPlace(planNow);
  let isReady = false;
  /** Calls that came before the instance's first answer. */
  let early = 0;
  let userId: string | undefined;
  let anonymousId: string | undefined;
  let stop: (() => undefined) | undefined;

  const send = (event: BrowserEvent | undefined, properties: Values): void => {
    if (gate.verdict() !== "yes") return void settle();
    if (!event) return;
    anonymousId = store.get("id") ?? anonymousId ?? randomUuid();
    store.set("id", anonymousId);
    const context = pick(planNow().context, { ...place.surroundings(), library: LIBRARY });
    outbox.add({ ...toMessage(event, properties), anonymousId, userId, context });
  };
  /** Brings what runs in line with the verdict. */
  const apply = (): void => {
    const verdict = gate.verdict();
    if (verdict === "yes") {
      if (!stop) void outbox.flush(); // what an earlier page left
      stop ??= watch(planNow, {
        onPage: (page) => send(place.move(page), {}),
        onClick: send,
        onLeave: outbox.leave,
        onReturn: () => gate.ask(true).then(apply),
      });
      return;
    }
    stop = stop?.();
    outbox.clear();
    if (verdict === "no") {
      anonymousId = undefined;
      gate.forget();
    }
  };
  const settle = async (): Promise<Status> => {
    await gate.ask();
    isReady = true;
    apply();
    return { ...gate.told(), verdict: gate.verdict() };
  };
  const track = (name: string, properties?: unknown): void => {
    const sendIt = () => send(findEvent(planNow(), name), Object(properties) as Values);
    if (isReady) sendIt();
    else if (early++ < MAX_EARLY_CALLS) void ready.then(sendIt);
  };
  const identify = (id: string | undefined): void => {
    userId = id;
  };
  const answer = (isYes: boolean): Promise<Status> => gate.answer(isYes).then(settle);
  const ready = settle();
  return { endpoint, track: track as Client<P>["track"], identify, consent: answer, status: settle };
}

function findEvent({ events }: BrowserPlan, wanted: string): BrowserEvent | undefined {
  return events.find(({ name, type }) => name === wanted && !type);
}

function toMessage({ type, name, fields }: BrowserEvent, properties: Values): object {
  return {
    type: type ?? "track",
    [type ? "name" : "event"]: name,
    messageId: `ajs-${randomHex(32)}`,
    timestamp: new Date(),
    properties: Object.fromEntries(fields.map((field) => [field, properties[field]])),
  };
}

const LIBRARY = { name: "@candor/browser", version: CANDOR_VERSION };

/** Where the person is, as the plan calls it. */
function followPlace(plan: () => BrowserPlan) {
  let path: string | undefined;
  let referrer: string | undefined;
  return {
    /** @returns the page's event */
    move: (page: Page | undefined): BrowserEvent | undefined => {
      const next = nameOf(page);
      // Otherwise it came back from the browser's cache.
      if (next === undefined || next !== path)
        referrer = (referrer === undefined ? nameOf(referringPage(plan())) : path) ?? "";
      path = next;
      return page?.event;
    },
    /** What a plan may let a message say about the page. Its address is the template's, never the bar's. */
    surroundings: (): Values => ({
      locale: navigator.language,
      page: { path, url: path, referrer, search: location.search, title: document.title },
    }),
  };
}

function nameOf(page: Page | undefined): string | undefined {
  return page?.template.replace(/^#/, "");
}

/** The page of this product that led here; undefined for another site's. */
function referringPage(plan: BrowserPlan): Page | undefined {
  const { referrer } = document;
  return referrer.startsWith(`${location.origin}/`) ? findPage(plan, new URL(referrer)) : undefined;
}
