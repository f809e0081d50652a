/**
 * Sends pages and other answers to a person's browser, each with headers that protect it from other sites.
 */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describePlan, PAGE_STYLE, renderHtml } from "@candor/plan/describe";
import type { Plan } from "@candor/plan/runtime";

/**
 * Sends an HTML page.
 * @param style the whole text of the page's only style element; no other style is allowed
 */
export function sendPage(response: ServerResponse, html: string, style: string, status = 200): void {
  const hash = createHash("sha256").update(style).digest("base64");
  const policy = `; style-src 'sha256-${hash}'; form-action 'self'`;
  sendText(response, status, "text/html; charset=utf-8", policy, html);
}

/** Sends the page about a plan: what may be sent, and why. */
export function sendPlanPage(response: ServerResponse, plan: Plan): void {
  sendPage(response, renderHtml(describePlan(plan, new Map())), PAGE_STYLE);
}

/**
 * Sends a text with the headers of `setHeaders`, unless an answer was already begun.
 * @param policy added to a Content-Security-Policy that allows nothing
 */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  policy: string,
  body: string,
): void {
  if (response.headersSent || response.destroyed) return;
  setHeaders(response, status, type, policy);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

export function setHeaders(response: ServerResponse, status: number, type: string, policy: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", type);
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Frame-Options", "DENY");
  // With `no-referrer`, browsers send `Origin: null` from the page's own forms, so the switch could not tell
  // which site a request comes from.
  response.setHeader("Referrer-Policy", "same-origin");
  response.setHeader(
    "Content-Security-Policy",
    `default-src 'none'; base-uri 'none'; frame-ancestors 'none'${policy}`,
  );
}
