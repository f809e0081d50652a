/** Owns what the messages of a request share: where they came from, and what their batch says once. */
import type { IncomingMessage } from "node:http";
import { isPromise } from "node:util/types";
import type { RequestBody } from "@candor/envelope/http";
import { type JsonObject, type MessageType, readShared, type Shared } from "@candor/envelope/wire";
import { toCanonicalAddress } from "@candor/plan/runtime";
import type { Core } from "../core.ts";
import { InstanceIdPlace } from "../instance-id-place.ts";
import { isRecord } from "../json.ts";
import { copyPlain } from "../plain-copy.ts";
import type { GatewayRequest } from "./request.ts";

/** The browser's address, as a product knows it that stands behind a reverse proxy. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** What the messages of a request share. */
export interface Delivery {
  /** The path's type, of a single message; it counts over the message's own. */
  readonly type: MessageType | undefined;
  /** What the batch's body shares with each message. */
  readonly shared: Shared;
  readonly receivedAtMs: number;
  readonly retryCount: number;
  /** Becomes `context.ip` where the browser gave none; undefined where the plan does not declare it. */
  readonly address: string | undefined;
  /** Becomes `context.userAgent` likewise. */
  readonly userAgent: string | undefined;
  /** Under the instance's secret, hex; undefined while there is no instance. */
  readonly keyedHash: ((value: string) => string) | undefined;
  readonly idPlace: InstanceIdPlace;
  /** The instance's at this moment; undefined while there is no instance. */
  readonly instanceId: () => string | undefined;
}

export interface DeliverySource {
  readonly request: GatewayRequest;
  readonly body: RequestBody;
  /** The path's. */
  readonly type: MessageType | undefined;
  readonly core: Core;
  readonly receivedAtMs: number;
  /** The browser's, see `addressOf`. */
  readonly address: string | undefined;
}

/** Reads what the messages of a request share. Address and user agent only where the plan declares them. */
export function openDelivery(source: DeliverySource): Delivery {
  const { request, body, type, core, receivedAtMs } = source;
  const isBatch = body.batch !== undefined;
  const declared = core.settings.plan.sources.client?.context ?? {};
  return {
    type: isBatch ? undefined : type,
    shared: readShared(isBatch ? sharedOf(body.value) : {}),
    receivedAtMs,
    retryCount: Number(request.headers["x-retry-count"] ?? 0),
    address: declared.ip === undefined ? undefined : source.address,
    userAgent: declared.userAgent === undefined ? undefined : request.headers["user-agent"],
    keyedHash: core.session?.instance.keyedHash,
    idPlace: new InstanceIdPlace(core.settings.plan, "client"),
    instanceId: () => core.session?.instance.instanceId,
  };
}

function sharedOf({ context, sentAt }: { readonly [key: string]: unknown }): JsonObject {
  const times = typeof sentAt === "string" ? { sentAt } : {};
  return isRecord(context) ? { ...times, context: copyPlain(context) } : times;
}

/** In its one spelling; undefined when it is not known. What the plan's policy leaves of it is for the core to say. */
export function addressOf(
  request: IncomingMessage,
  clientAddress: ClientAddress | undefined,
): string | undefined {
  const address = clientAddress === undefined ? request.socket.remoteAddress : ask(clientAddress, request);
  return typeof address === "string" ? toCanonicalAddress(address) : undefined;
}

function ask(clientAddress: ClientAddress, request: IncomingMessage): unknown {
  try {
    const address: unknown = clientAddress(request);
    // One that is asynchronous by mistake must not be the end of the process.
    if (isPromise(address)) address.catch(() => {});
    return address;
  } catch {
    return undefined; // The product's own function.
  }
}
