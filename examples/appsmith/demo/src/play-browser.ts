/**
 * Plays the browsers of an instance: posts their messages to the instance's own gateway, as the browser SDK
 * does, under the person's consent and privacy signals.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Gateway, Telemetry } from "@candor/node";
import { VERSION } from "@candor/node/operator";
import { type Collector, DemoFault } from "./collector.ts";
import { createRandom } from "./random.ts";
import type { Instance, Person, StoryBase } from "./story.ts";
import { type BrowserEvent, PAGES, visitsOf } from "./timeline.ts";

/** About as many messages as fit into a request of the browser SDK. */
const MAX_BATCH = 100;
const LIBRARY = { name: "@candor/browser", version: VERSION };
/** So high because a browser's messages of several weeks arrive at once. */
const MAX_MESSAGES_PER_SECOND = 1_000_000;
const USER_AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
] as const;
const LOCALES = ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "pt-BR", "hi-IN"] as const;

/** One HTTP server that passes requests to the gateways of all played instances. */
export interface Gateways {
  /** Resolves once the instance's gateway has taken everything that its browsers may send. */
  readonly play: (base: StoryBase, instance: Instance, telemetry: Telemetry) => Promise<void>;
  readonly close: () => void;
}

export async function openGateways({ keys }: Collector): Promise<Gateways> {
  const byNumber = new Map<string, Gateway>();
  const server = createServer((request, response) => {
    const gateway = byNumber.get(/^\/(\d+)\//.exec(request.url ?? "")?.[1] ?? "");
    if (gateway === undefined) response.writeHead(404).end();
    else gateway(request, response);
  });
  const port = await listen(server);
  return {
    play: async (base, instance, telemetry) => {
      const { number, people } = instance;
      if (people.length === 0) return;
      const gateway = telemetry.gateway({
        writeKey: keys.writeKeys.client,
        clientAddress: () => createRandom(`${base.seed}/address/${number}`).pick(ADDRESSES),
        maxMessagesPerSecond: MAX_MESSAGES_PER_SECOND,
      });
      byNumber.set(String(number), gateway);
      for (const person of people) {
        const url = `http://127.0.0.1:${port}/${number}/v1/batch`;
        await playPerson(url, { base, instance, person });
      }
      byNumber.delete(String(number));
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Addresses that are reserved for documentation. */
const ADDRESSES = ["192.0.2.17", "198.51.100.23", "203.0.113.5"] as const;

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new DemoFault("There is no free port.");
  return address.port;
}

interface Visitor {
  readonly base: StoryBase;
  readonly instance: Instance;
  readonly person: Person;
}

async function playPerson(url: string, visitor: Visitor): Promise<void> {
  const { base, instance, person } = visitor;
  const random = createRandom(`${base.seed}/browser/${instance.number}/${person.number}`);
  const headers = {
    "content-type": "text/plain",
    "user-agent": random.pick(USER_AGENTS),
    ...(person.hasPrivacySignal ? { "sec-gpc": "1" } : {}),
  };
  const locale = random.pick(LOCALES);
  const messages = visitsOf(base, instance, person).map((event) => toMessage(event, person, locale));
  for (let at = 0; at < messages.length && !instance.isRefused; at += MAX_BATCH) {
    const batch = messages.slice(at, at + MAX_BATCH);
    const body = JSON.stringify({ batch, sentAt: new Date().toISOString() });
    const response = await fetch(url, { method: "POST", headers, body });
    await response.text();
    if (!response.ok && !person.hasPrivacySignal)
      throw new DemoFault(`A gateway answered its browser with status ${response.status}.`);
  }
}

function toMessage(
  { atMs, version, event, page, properties }: BrowserEvent,
  person: Person,
  locale: string,
): object {
  const { path, title } = PAGES[page];
  return {
    type: "track",
    event,
    anonymousId: person.browserId,
    messageId: crypto.randomUUID(),
    timestamp: new Date(atMs).toISOString(),
    context: { library: LIBRARY, locale, page: { path, referrer: "", search: "", title, url: path } },
    properties: { ...properties, version },
  };
}
