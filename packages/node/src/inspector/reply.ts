/** Sends the inspector's answers: errors, JSON, redirects and downloads. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { MAX_PAGE_MESSAGES, readOutboxPage } from "../outbox/outbox-page.ts";
import { sendText, setHeaders } from "../page-answer.ts";

/** The errors of the inspector, each with the status and the sentence of its answer. */
const FAULTS = {
  not_found: { status: 404, message: "There is nothing at this address." },
  method_not_allowed: { status: 405, message: "This address does not take this method." },
  page_unknown: { status: 400, message: "`before` is not what a page gave, or `limit` is not 1 to 1000." },
  other_site: {
    status: 403,
    message: "This came from another site's page, or from a program without an Origin header.",
  },
  host_unknown: {
    status: 403,
    message:
      'This inspector does not answer under this host name, because another site could be behind it. The developer of this product has to list the names: inspector({ hosts: ["app.example.org"] }). An IP address or localhost always works.',
  },
  link_used: {
    status: 410,
    message:
      "This link was opened before, or is too old, or another process of the product made it. Ask the product for a new one.",
  },
  body_too_large: { status: 413, message: "The body is larger than 4096 bytes." },
  body_too_slow: { status: 408, message: "The body did not arrive in time." },
  body_unreadable: { status: 400, message: "The body is neither JSON nor a form." },
  answer_invalid: {
    status: 400,
    message: "`answer` is yes, no or notice; `sources` is a list of sources that the plan has.",
  },
  answer_not_stored: {
    status: 500,
    message:
      "The answer cannot be stored, because the state folder cannot be written to. A No holds until the product ends.",
  },
  deletion_needs_no: {
    status: 400,
    message: "`deleteFirst` works only with the answer no, and only with the server among its sources.",
  },
  not_on: {
    status: 409,
    message:
      "Telemetry is not on, so there is no instance that could ask for the deletion. Nothing was changed.",
  },
  sending_now: {
    status: 409,
    message:
      "Messages are being sent at this moment. Nothing was deleted or turned off; try again in a minute.",
  },
  not_confirmed: {
    status: 502,
    message:
      "The collector did not confirm the deletion, so telemetry is still on, and this folder was left as it is. Try again later, or turn telemetry off without it.",
  },
  options_invalid: { status: 409, message: "Telemetry has no valid options, so there is nothing to switch." },
  internal: { status: 500, message: "The inspector failed." },
} as const satisfies { [code: string]: { status: number; message: string } };

export type FaultCode = keyof typeof FAULTS;

/** The status and the sentence of an error. */
export function explainReplyFault(
  code: FaultCode,
  detail = "",
): { readonly status: number; readonly message: string } {
  const { status, message } = FAULTS[code];
  return { status, message: detail === "" ? message : `${message} ${detail}` };
}

export function sendJson(response: ServerResponse, value: object, status = 200): void {
  sendText(response, status, "application/json; charset=utf-8", "", `${JSON.stringify(value)}\n`);
}

/** Answers with an error as JSON. @param detail a further sentence about the cause */
export function sendFault(response: ServerResponse, code: FaultCode, detail = ""): void {
  const { status, message } = explainReplyFault(code, detail);
  // The connection cannot be reused, because the rest of the body is not read.
  if (code === "body_too_slow") response.setHeader("Connection", "close");
  sendJson(response, { error: code, message }, status);
}

/** Redirects to the inspector's page, so that reloading it does not submit the answer again. */
export function sendToPage(response: ServerResponse): void {
  response.setHeader("Location", "./");
  sendText(response, 303, "text/plain; charset=utf-8", "", "");
}

/**
 * Redirects from a one-time link to the inspector's page. The link's URL is not passed on as the referrer.
 */
export function sendToInspector(response: ServerResponse, cookie: string): void {
  response.appendHeader("Set-Cookie", cookie);
  response.setHeader("Location", "./");
  setHeaders(response, 303, "text/plain; charset=utf-8", "");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.end();
}

/** Sets the headers of a file that a browser saves. The caller writes the body. */
export function beginFile(response: ServerResponse, name: string, type: string): void {
  setHeaders(response, 200, type, "");
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
}

/**
 * Writes every message of an outbox, newest first, one JSON object per line: `{"state","source","message"}`.
 * Reads one page at a time, waits for a slow reader, and then ends the response. Stops if the reader
 * disconnects.
 */
export async function writeMessages(outbox: string, response: ServerResponse): Promise<void> {
  for (let before: string | undefined; !response.destroyed; ) {
    const page = await readOutboxPage(outbox, { limit: MAX_PAGE_MESSAGES, before });
    const lines = (page?.messages ?? []).map(
      ({ state, source, message, line }) =>
        `${JSON.stringify({ state, source, message: message ?? line })}\n`,
    );
    if (!response.write(lines.join(""))) await untilWritable(response);
    before = page?.next;
    if (before === undefined) break;
  }
  response.end();
}

async function untilWritable(response: ServerResponse): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once("close", leave);
  await once(response, "drain", { signal: leaving.signal }).catch(() => {});
  response.removeListener("close", leave);
}
