/**
 * Sends the command line's HTTP requests to a collector: small reads, the live feed, deletions, and the
 * comparison and rebuild of rollups.
 */
import {
  type Fields,
  FORGET_TIMEOUT_MS,
  parseFields,
  post,
  Refused,
  reachCauseOf,
  readDate,
  textOf,
  toFields,
  toSafeText,
  toShown,
} from "@candor/node/operator";
import type { Plan } from "@candor/plan";
import { type AnonymityReport, CandorError } from "@candor/server";

/** Long, because some reports read every event, but less than the 300 s after which fetch gives up. */
const REPORT_TIMEOUT_MS = 290_000;
const BATCH_TIMEOUT_MS = 30_000;
/** Rebuilding a month of 100 million events takes minutes. */
const REBUILD_TIMEOUT_MS = 60 * 60_000;

/** The answer to a GET request. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /**
   * The server's time from the Date header (whole seconds), in epoch milliseconds; undefined if the header is
   * missing or is not a date.
   */
  readonly dateMs: number | undefined;
}

/**
 * Sends a GET request, and reads the whole answer into memory.
 * @param token the admin token, if the route needs one
 * @throws what fetch throws, including a TimeoutError after `timeoutMs`; `reachCauseOf` describes such an
 * error
 */
export async function ask(address: string, timeoutMs: number, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, { headers, signal, redirect: "manual" });
  const dateMs = readDate(response.headers.get("date"));
  return { status: response.status, body: await response.text(), dateMs };
}

/** An open stream of /api/live. */
export interface LiveStream {
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Says in one line why the collector refused. */
export function explainRefusal({ code, message, url }: Refused): string {
  if (code !== "token_invalid") return toSafeText(message);
  return `The collector at ${toShown(url)} does not accept this token. Set CANDOR_ADMIN_TOKEN to its token, or CANDOR_DATA_DIR to its data folder.`;
}

/** Creates the function that says why a collector was not reached. */
function toUnreachable(url: string): (cause: string, error?: unknown) => CandorError {
  return (cause, error) => new CandorError("unreachable", { url: toShown(url), cause }, error);
}

/** Says why an answer is not what was asked for: the collector refused, or something else answered. */
function toFault(url: string, { status, body }: Pick<Answer, "status" | "body">): Refused | CandorError {
  const fault = parseFields(body);
  if (typeof fault?.code === "string") return new Refused(fault.code, textOf(fault.message), url);
  return toUnreachable(url)(`no collector: status ${status}`);
}

/**
 * Opens /api/live.
 * @throws Refused if the collector rejects the token or a filter; CandorError `unreachable` on any other
 * failure, an abort of `signal` included
 */
export async function openLive(
  collector: Asked,
  filters: URLSearchParams,
  signal: AbortSignal,
): Promise<LiveStream> {
  const { url, token } = collector;
  const unreachable = toUnreachable(url);
  const headers = { Authorization: `Bearer ${token}`, Accept: "text/event-stream" };
  const address = url + pathOf(collector, `/api/live?${filters}`);
  const response = await fetch(address, { headers, signal, redirect: "manual" }).catch((error: unknown) => {
    throw unreachable(reachCauseOf(error), error);
  });
  if (response.status === 200 && /^text\/event-stream/.test(response.headers.get("content-type") ?? "")) {
    if (response.body !== null) return { pieces: response.body };
  }
  const fault = parseFields(await response.text().catch(() => ""));
  if (typeof fault?.code === "string" && (response.status === 400 || response.status === 401)) {
    throw new Refused(fault.code, textOf(fault.message), url);
  }
  throw unreachable(`it answers, but not with Candor's live feed: status ${response.status}`);
}

/**
 * Sends POST /api/forget. Resolves to the deletion receipt once the data is deleted.
 * @throws Refused if the collector refuses the request; CandorError `unreachable` on any other failure, such
 * as no answer within FORGET_TIMEOUT_MS
 */
export function askToForget(collector: Asked, subject: Fields): Promise<Fields> {
  const { url, token } = collector;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return post(pathOf(collector, "/api/forget"), headers, JSON.stringify(subject), {
    url,
    timeoutMs: FORGET_TIMEOUT_MS,
    toFault: toUnreachable(url),
  });
}

/** A running collector, the admin token with which it is asked, and the product about which it is asked. */
export interface Asked {
  readonly url: string;
  readonly token: string;
  /** Undefined if the collector serves only one product, or to be told that it serves several. */
  readonly product?: string | undefined;
}

/** Adds the product to a path, which may have parameters. */
function pathOf({ product }: Asked, path: string): string {
  if (product === undefined) return path;
  return `${path}${path.includes("?") ? "&" : "?"}product=${encodeURIComponent(product)}`;
}

/** The answer of GET /api/rebuild. */
export interface Rollups {
  /** `YYYY-MM`, oldest first. */
  readonly months: readonly string[];
  readonly differences: readonly {
    readonly month: string;
    readonly rollup: string;
    readonly events: number;
    readonly counted: number;
  }[];
}

/**
 * Sends GET /api/rebuild, which compares the rollups with the events.
 * @throws Refused if the collector answers with an error; CandorError `unreachable` on any other failure
 */
export async function askForRollups(collector: Asked): Promise<Rollups> {
  return (await askForAnswer(collector, "/api/rebuild", "differences")) as unknown as Rollups;
}

/** Sends GET /api/reports/anonymity. Throws as `askForRollups` does. */
export async function askForAnonymity(collector: Asked, period: URLSearchParams): Promise<AnonymityReport> {
  const path = `/api/reports/anonymity?${period}`;
  return (await askForAnswer(collector, path, "fields")) as unknown as AnonymityReport;
}

/**
 * Sends a GET request to the read API.
 * @param list the name of a field that is a list in every valid answer
 */
async function askForAnswer(collector: Asked, path: string, list: string): Promise<Fields> {
  const { url, token } = collector;
  const answer = await ask(url + pathOf(collector, path), REPORT_TIMEOUT_MS, token).catch(
    (error: unknown) => {
      throw toUnreachable(url)(reachCauseOf(error), error);
    },
  );
  const fields = parseFields(answer.body);
  if (answer.status === 200 && fields !== undefined && Array.isArray(fields[list])) return fields;
  throw toFault(url, answer);
}

/** Sends POST /api/rebuild for one month. Throws as `askForRollups` does. */
export async function askForMonth(collector: Asked, month: string): Promise<void> {
  const { url, token } = collector;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  await post(pathOf(collector, "/api/rebuild"), headers, JSON.stringify({ months: [month] }), {
    url,
    timeoutMs: REBUILD_TIMEOUT_MS,
    toFault: toUnreachable(url),
  });
}

/**
 * Sends POST /api/sql. Resolves to the result in the format.
 * @throws Refused if the collector answers with an error; CandorError `unreachable` if it cannot be reached
 */
export async function askSql(collector: Asked, query: string, format: string): Promise<string> {
  const { url, token } = collector;
  const response = await fetch(url + pathOf(collector, "/api/sql"), {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query, format }),
    signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
    redirect: "manual",
  }).catch((error: unknown) => {
    throw toUnreachable(url)(reachCauseOf(error), error);
  });
  const body = await response.text();
  if (response.status === 200) return body;
  throw toFault(url, { status: response.status, body });
}

/** Reads a page of GET /api/events. `next` is null on the last one. Throws as `askForRollups` does. */
export async function askForEvents(
  collector: Asked,
  parameters: URLSearchParams,
): Promise<{ readonly events: readonly unknown[]; readonly next: string | null }> {
  const { events, next } = await askForAnswer(collector, `/api/events?${parameters}`, "events");
  return { events: Array.isArray(events) ? events : [], next: typeof next === "string" ? next : null };
}

/** Reads the plan in force, which everybody may see. Throws as `askForRollups` does. */
export async function askForPlan(collector: Asked): Promise<Plan> {
  const { product, ...asked } = collector;
  const path = product === undefined ? "/privacy.json" : `/privacy/${encodeURIComponent(product)}.json`;
  return (await askForAnswer(asked, path, "events")) as unknown as Plan;
}

/** Sends GET /api/reports/NAME. Resolves to the answer's bytes, piece by piece. Throws as `askForRollups` does. */
export async function openReport(
  collector: Asked,
  name: string,
  parameters: URLSearchParams,
): Promise<AsyncIterable<Uint8Array>> {
  const { url, token } = collector;
  const path = name.split("/").map(encodeURIComponent).join("/");
  const response = await fetch(url + pathOf(collector, `/api/reports/${path}?${parameters}`), {
    headers: { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
    redirect: "manual",
  }).catch((error: unknown) => {
    throw toUnreachable(url)(reachCauseOf(error), error);
  });
  if (response.status === 200 && response.body !== null) return response.body;
  throw toFault(url, { status: response.status, body: await response.text() });
}

/** The codes with which a collector asks to come again later. */
const BUSY: ReadonlySet<string> = new Set(["overloaded", "disk_full", "log_unwritable", "stopping"]);

/** What became of the messages of a batch. */
export interface BatchAnswer {
  readonly accepted: number;
  /** The reason of each message that was dropped. */
  readonly dropped: readonly string[];
}

/**
 * Posts a batch of messages. Resolves to undefined if the collector is busy or away, unless it is the last try.
 * @param messages as JSON
 * @throws Refused if the collector answers with an error; CandorError `unreachable` if it cannot be reached
 */
export async function postBatch(
  url: string,
  writeKey: string,
  messages: readonly string[],
  isLastTry: boolean,
): Promise<BatchAnswer | undefined> {
  const headers = { Authorization: `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}` };
  try {
    const answer = await post("/v1/batch", headers, `{"batch":[${messages.join(",")}]}`, {
      url,
      timeoutMs: BATCH_TIMEOUT_MS,
      toFault: toUnreachable(url),
    });
    const dropped = Array.isArray(answer.dropped) ? answer.dropped : [];
    return {
      accepted: Number(answer.accepted ?? messages.length),
      dropped: dropped.map((one: unknown) => textOf(toFields(one)?.reason)),
    };
  } catch (error) {
    const isBusy = error instanceof CandorError || (error instanceof Refused && BUSY.has(error.code));
    if (isBusy && !isLastTry) return undefined;
    throw error;
  }
}
