/** Owns how the gateway reads a request: its address, and its body, which the product's own parser may have read before. */
import { isUint8Array } from "node:util/types";
import {
  API_PREFIX,
  createRequestReader,
  findWireRoute,
  type RequestBody,
  splitUrl,
  type WireRoute,
} from "@candor/envelope/http";
import type { Clock } from "../clock.ts";
import { isBodyRead, type ParsedRequest } from "../read-body.ts";
import { GatewayFault } from "./faults.ts";

/** Slow uploads must not fill the product's memory. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** Far deeper than any message may be. A body of brackets must not hold up the product's other requests. */
const MAX_BODY_LEVELS = 200;

/** A request of node:http, and what frameworks add to it. */
export interface GatewayRequest extends ParsedRequest {
  /** The address before the framework took the mount off. */
  readonly originalUrl?: string;
}

/**
 * Tells an address's route; undefined for what is not the gateway's. The last `/v1/` begins it, so that it does not matter
 * whether the framework takes the mount off before.
 */
export function findRoute(url: string): WireRoute | undefined {
  const [path] = splitUrl(url);
  const at = path.lastIndexOf(API_PREFIX);
  return at < 0 ? undefined : findWireRoute(path.slice(at));
}

/** What stands before `/v1/` in an address that has it: where the product mounted the gateway. */
export function mountOf(url: string): string {
  const [path] = splitUrl(url);
  return path.slice(0, Math.max(0, path.lastIndexOf(API_PREFIX)));
}

/** @throws GatewayFault of WIRE_ERRORS, and `too_many_requests` when too much is being read already */
export function createBodyReader(clock: Clock): (request: GatewayRequest) => Promise<RequestBody> {
  const reader = createRequestReader({
    maxHeldBytes: MAX_HELD_BYTES,
    maxLevels: MAX_BODY_LEVELS,
    later: clock.later,
    toError: (code, details) =>
      code === "overloaded" ? new GatewayFault("too_many_requests") : new GatewayFault(code, details),
  });
  return async (request) => {
    if (!isBodyRead(request)) return reader.read(request);
    const { body } = request;
    if (typeof body === "string") return reader.decode(Buffer.from(body));
    if (isUint8Array(body)) return reader.decode(Buffer.from(body));
    if (body === undefined) throw new GatewayFault("body_unreadable", { why: "it was read before" });
    return reader.check(body);
  };
}
