/** Reads what a request to the inspector asks for, and decides whether it may be answered. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { readBody } from "@candor/envelope/read-body";
import { isRecord, tryParseJson } from "@candor/envelope/unknown-value";
import type { Clock } from "../clock.ts";
import { isBodyRead, type ParsedRequest } from "../incoming-request.ts";

const MAX_BODY_BYTES = 4096;

/** What a request asks for, wherever the product has mounted the inspector. */
export interface Asked {
  /** The path below the inspector's own: `/`, `/status.json`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The prefix of links on the page, relative so that they work behind any proxy: `./`, `./telemetry/`. */
  readonly here: string;
}

/**
 * Reads the URL of a request. Express and connect remove the mount path; for other frameworks, `mount` names
 * it.
 * @param mount where the product mounted the inspector, such as `/admin/telemetry`
 */
export function readAsked(request: IncomingMessage, mount: string): Asked {
  const { url = "/" } = request;
  const mark = url.indexOf("?");
  const whole = mark === -1 ? url : url.slice(0, mark);
  const prefix = mount.replace(/\/+$/, "");
  const isBelow = prefix !== "" && (whole === prefix || whole.startsWith(`${prefix}/`));
  const path = (isBelow ? whole.slice(prefix.length) : whole) || "/";
  const [shown = ""] = originalUrlOf(request).split("?", 1);
  const last = shown.slice(shown.lastIndexOf("/") + 1);
  return {
    path,
    query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)),
    here: path === "/" && last !== "" ? `./${last}/` : "./",
  };
}

/** The URL as received, before a framework removed the mount path. */
function originalUrlOf(request: IncomingMessage): string {
  const { url = "/" } = request;
  return "originalUrl" in request && typeof request.originalUrl === "string" ? request.originalUrl : url;
}

/** An answer as received, unchecked. */
export interface AnswerForm {
  readonly answer: unknown;
  readonly sources: unknown;
  /** Whether the collector should first delete what it holds about this instance. */
  readonly deleteFirst: unknown;
  /**
   * Whether the request's Content-Type is not JSON, so that the body is read as a form. The reply is then the
   * page, or a redirect to it.
   */
  readonly isForm: boolean;
}

/** Why a body could not be read as an answer. */
export type FormFault = "body_too_large" | "body_too_slow" | "body_unreadable";

/** Reads the body, or uses the result of the product's own body parser. Never rejects. */
export async function readAnswerForm(
  request: ParsedRequest,
  clock: Pick<Clock, "later">,
): Promise<AnswerForm | FormFault> {
  const isForm = !/^application\/json\b/i.test(request.headers["content-type"] ?? "");
  const parsed = isBodyRead(request) ? request.body : undefined;
  if (isRecord(parsed) && !Buffer.isBuffer(parsed)) return pick(parsed, isForm);
  const text =
    typeof parsed === "string" || Buffer.isBuffer(parsed)
      ? Buffer.from(parsed)
      : await readBody(request, { maxBytes: MAX_BODY_BYTES, later: clock.later });
  if (text === "too_large") return "body_too_large";
  if (typeof text === "string") return "body_too_slow";
  const fields = isForm ? readFields(text.toString()) : tryParseJson(text.toString());
  return isRecord(fields) ? pick(fields, isForm) : "body_unreadable";
}

function pick(
  { answer, sources, deleteFirst = false }: { readonly [name: string]: unknown },
  isForm: boolean,
): AnswerForm {
  return {
    answer,
    sources: typeof sources === "string" ? [sources] : sources,
    deleteFirst: isForm && deleteFirst === "true" ? true : deleteFirst,
    isForm,
  };
}

function readFields(text: string): object {
  const fields = new URLSearchParams(text);
  const sources = fields.getAll("sources");
  return {
    answer: fields.get("answer") ?? undefined,
    sources: sources.length === 0 ? undefined : sources,
    deleteFirst: fields.get("deleteFirst") ?? undefined,
  };
}

/**
 * Whether a request may be answered, according to its `Host`. Another site can point its own name at the
 * product's address (DNS rebinding). The browser then treats that site's page as same-origin, so the page
 * could read every message and turn the switch. But `Host` still contains that site's name. A request without
 * `Host` may be answered, because every browser sends `Host`.
 * @param hosts the product's own names
 */
export function isKnownHost(host: string | undefined, hosts: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = toHostName(host);
  if (name === undefined) return false;
  const isLoopback = name === "localhost" || name.endsWith(".localhost");
  return isLoopback || isIP(name) !== 0 || hosts.some((known) => toHostName(known) === name);
}

/**
 * The host without its port, in lower case; an IPv6 address without brackets. Undefined if the text is not a
 * host.
 */
function toHostName(host: string): string | undefined {
  if (!/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
