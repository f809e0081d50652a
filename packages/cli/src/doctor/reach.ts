import { createServer } from "node:net";
import { reachCauseOf, toReachable, toShown } from "@candor/node/operator";
import { CandorError, type Config, causeOf } from "@candor/server";
import { isLoopback } from "../address.ts";
import { type Answer, ask } from "../collector.ts";
import type { CollectorFacts, ListeningFacts, OtherFacts, ServerFacts } from "./facts.ts";

const TIMEOUT_MS = 3000;
/** Faults of a connection that never came about: nobody is there. */
const NOBODY = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
]);

/** Looks for a collector; where there is none, whether one could listen. */
export async function examineListening(config: Config): Promise<ListeningFacts> {
  const url = toReachable(config.url);
  const { hostname, port, protocol } = new URL(url);
  const urlPort = Number(port || (protocol === "https:" ? 443 : 80));
  const isHere = hostname === config.host || hostname === "[::1]" || isLoopback(hostname);
  const isOwn = isHere && urlPort === config.port;
  const facts = { url: toShown(url), host: config.host, port: config.port, isOwn };
  try {
    return { ...facts, answer: await examineAnswer(url) };
  } catch (error) {
    const cause = reachCauseOf(error);
    if (!NOBODY.has(cause)) return { ...facts, answer: { kind: "other", why: cause } };
    return { ...facts, answer: { kind: "silent", cause, bindFault: await tryListening(config) } };
  }
}

async function examineAnswer(url: string): Promise<CollectorFacts | OtherFacts> {
  const askedAtMs = Date.now();
  const health = await ask(`${url}/healthz`, TIMEOUT_MS);
  const answeredAtMs = Date.now();
  const [ready, metrics] = await Promise.all([
    ask(`${url}/readyz`, TIMEOUT_MS),
    ask(`${url}/metrics`, TIMEOUT_MS),
  ]);
  const values = parseMetrics(metrics.body);
  if (health.status !== 200 || !values.has("candor_log_pending_rows"))
    return { kind: "other", why: `it answers, but not as a Candor: status ${health.status}` };
  return {
    kind: "collector",
    unready: ready.status === 200 ? undefined : (sentenceOf(ready) ?? `status ${ready.status}`),
    aheadMs: toAhead(health.dateMs, askedAtMs, answeredAtMs),
    metrics: values,
  };
}

function sentenceOf({ body }: Answer): string | undefined {
  return /"message":"([^"\\]*)"/.exec(body)?.[1];
}

/** The header has whole seconds: a time within the second it names, and within the question, is no difference. */
export function toAhead(
  dateMs: number | undefined,
  askedAtMs: number,
  answeredAtMs: number,
): number | undefined {
  if (dateMs === undefined) return undefined;
  if (dateMs > answeredAtMs) return dateMs - answeredAtMs;
  return Math.min(0, dateMs + 999 - askedAtMs);
}

/** The values of Prometheus' text format that carry no label. */
export function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name = "", value] of text.matchAll(/^(\w+) (\S+)$/gm)) values.set(name, Number(value));
  return values;
}

/** Listens for a moment: the only way to know that it is possible. Resolves to the fault. */
async function tryListening({ host, port }: Config): Promise<string | undefined> {
  if (port === 0) return undefined;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return undefined;
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "EADDRINUSE") return new CandorError("port_in_use", { host, port }).message;
    return new CandorError("address_unavailable", { host, port, cause }).message;
  } finally {
    server.close();
  }
}

/** Asks each ClickHouse server whether it is there. */
export async function examineServers(urls: readonly string[]): Promise<ServerFacts[]> {
  return Promise.all(
    urls.map(async (configured): Promise<ServerFacts> => {
      const url = toShown(configured);
      try {
        const { status, body } = await ask(`${url}/ping`, TIMEOUT_MS);
        const isUp = status === 200 && body.trim() === "Ok.";
        return { url, fault: isUp ? undefined : `it answers, but not as a ClickHouse: status ${status}` };
      } catch (error) {
        return { url, fault: reachCauseOf(error) };
      }
    }),
  );
}
