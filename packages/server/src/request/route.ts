/** Finds what a path of the ingest API is used for, and normalises requests' targets. */

import type { MessageType } from "@candor/envelope";
import { API_PREFIX, findWireRoute, splitUrl, toMessageType, type WireRoute } from "@candor/envelope/http";
import { INSTANCE_ACTIONS, type InstanceAction } from "@candor/envelope/instance-proof";

/** What a path of the ingest API is used for. */
export type IngestRoute =
  | WireRoute
  | { readonly kind: "pixel"; readonly type: MessageType | undefined }
  | { readonly kind: "instance"; readonly action: InstanceAction };

export function isIngestPath(url: string): boolean {
  return url.startsWith(API_PREFIX);
}

/**
 * Normalises a request's target: removes the scheme and host that clients send if they believe they are
 * talking to a proxy, and collapses repeated slashes, which result from a base URL with a trailing slash.
 * `host` is the removed host, if there was one.
 */
export function normalizeTarget(target: string): { readonly url: string; readonly host?: string } {
  if (target.startsWith("/") && !target.includes("//")) return { url: target };
  const [, host, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  const [path, query] = splitUrl(rest ?? target);
  const single = (rest === undefined ? path : `/${path}`).replace(/\/{2,}/g, "/");
  const url = query === "" ? single : `${single}?${query}`;
  return host === undefined ? { url } : { url, host };
}

/**
 * Finds what a path of the ingest API is used for; undefined if there is nothing at it.
 * @param path begins with `/v1/` and has no query
 * @see findWireRoute
 */
export function findRoute(path: string): IngestRoute | undefined {
  return findWireRoute(path) ?? findOwnRoute(path);
}

function findOwnRoute(path: string): IngestRoute | undefined {
  const [name, second, ...more] = path.slice(API_PREFIX.length).replace(/\/$/, "").split("/");
  if (second === undefined || more.length > 0) return undefined;
  if (name === "pixel") return { kind: "pixel", type: toMessageType(second) };
  const action = name === "instance" ? INSTANCE_ACTIONS.find((known) => known === second) : undefined;
  return action && { kind: "instance", action };
}
