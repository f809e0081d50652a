/**
 * Connects the consent gate, capture and the outbox, so that a page is watched only while the verdict is yes.
 */
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
   * The person's answer, if the product stores answers itself. The instance must still allow sending, and may
   * still ask the person. `true`: Yes. `false`: No, until `consent(true)` is called. `"ask"`: nothing is sent
   * until `consent(true)` is called, and this browser remembers that Yes.
   * @default the instance's answer
   */
  readonly consent?: boolean | "ask" | undefined;
  /** The plan, if the endpoint does not return one. The type of a generated plan gives `track` its types. */
  readonly plan?: (BrowserPlan & P) | undefined;
  /** The write key sent in the body, for an endpoint that needs one. A gateway does not. @default "client" */
  readonly writeKey?: string | undefined;
}

/** Whether messages are sent, and the instance's last answer. */
export interface Status extends Told {
  readonly verdict: Verdict;
}

/** The telemetry of a page. No method throws, rejects or prints. */
export interface Client<P = unknown> {
  readonly endpoint: string;
  /**
   * Sends an event, without any undeclared properties. Sends nothing if the plan does not declare the event
   * for the client, or the verdict is not yes. Up to 100 calls wait for the instance's first answer.
   */
  readonly track: <E extends keyof EventsOf<P> & string>(event: E, ...given: Given<EventsOf<P>[E]>) => void;
  /**
   * Sets the signed-in user's id for later messages. Only this page keeps the id, and the gateway hashes it.
   */
  readonly identify: (userId: string | undefined) => void;
  /**
   * Records the person's answer. `false` deletes all that the SDK has stored in this browser, without a
   * request.
   */
  readonly consent: (isYes: boolean) => Promise<Status>;
  /** Resolves with the status, after asking the instance if that is due. */
  readonly status: () => Promise<Status>;
}

declare const CANDOR_VERSION: string;
const NOTHING: BrowserPlan = { version: 0, events: [], context: {} };
const MAX_EARLY_CALLS = 100;
/** One page has one client, however often the script is loaded. */
const SHARED = Symbol.for("candor");

/**
 * Starts telemetry on this page. Until the verdict is yes, the only requests are those that ask for the
 * instance's answer, without cookies and at most once an hour per page, and the one that stores a person's
 * Yes. A second call returns the same client as the first call, whatever its options.
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
  /** Starts or stops watching the page, and deletes stored data, according to the verdict. */
  const apply = (): void => {
    const verdict = gate.verdict();
    if (verdict === "yes") {
      if (!stop) void outbox.flush(); // messages that an earlier page stored
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

/** Tracks the current page and its referrer, both named by the plan's templates. */
function followPlace(plan: () => BrowserPlan) {
  let path: string | undefined;
  let referrer: string | undefined;
  return {
    /** Records that a page has opened. @returns the page's event */
    move: (page: Page | undefined): BrowserEvent | undefined => {
      const next = nameOf(page);
      // The same path again means that the page was restored from the back/forward cache.
      if (next === undefined || next !== path)
        referrer = (referrer === undefined ? nameOf(referringPage(plan())) : path) ?? "";
      path = next;
      return page?.event;
    },
    /** The facts about the page that a plan may allow. The path is the template, never the actual address. */
    surroundings: (): Values => ({
      locale: navigator.language,
      page: { path, url: path, referrer, search: location.search, title: document.title },
    }),
  };
}

function nameOf(page: Page | undefined): string | undefined {
  return page?.template.replace(/^#/, "");
}

/** The page that linked here; undefined for a page of another site or a page that the plan does not name. */
function referringPage(plan: BrowserPlan): Page | undefined {
  const { referrer } = document;
  return referrer.startsWith(`${location.origin}/`) ? findPage(plan, new URL(referrer)) : undefined;
}
