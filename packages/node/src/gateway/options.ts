/** Defines, reads and checks the gateway's options. */

import { isRecord, isText } from "@candor/envelope/unknown-value";
import type { Core } from "../core.ts";
import { findNoNumber, findOtherType, findUnknown } from "../problems.ts";
import type { ClientAddress } from "./messages.ts";

const MAX_MESSAGES_PER_SECOND = 1000;

export interface GatewayOptions {
  /**
   * The collector's write key of the source `client`; `candor keys` prints it. The key that a browser sends
   * is ignored.
   */
  readonly writeKey: string;
  /**
   * Returns the browser's address, for products behind a reverse proxy that they trust.
   * @default the peer's address; no header is trusted
   */
  readonly clientAddress?: ClientAddress | undefined;
  /**
   * The limit for all browsers together, at least 1; one address gets at most a quarter of it. Beyond the
   * limit, browsers are told to retry later. Behind a proxy they all count as one address, unless
   * `clientAddress` returns their own. @default 1000
   */
  readonly maxMessagesPerSecond?: number | undefined;
  /**
   * The path at which browsers reach the gateway, such as `/red/telemetry`, if a proxy strips part of the
   * path.
   * @default the prefix in `X-Forwarded-Prefix`, followed by the request's path up to `/v1/`
   */
  readonly publicPath?: string | undefined;
  /**
   * Whether each person is asked too, in their own browser, once the instance allows it. No message of a
   * browser is accepted before its person has said Yes there, for example to `<candor-consent>`.
   * @default false: the instance's answer is enough
   */
  readonly asksPeople?: boolean | undefined;
}

const NAMES = Object.keys({
  writeKey: true,
  clientAddress: true,
  maxMessagesPerSecond: true,
  publicPath: true,
  asksPeople: true,
} satisfies { readonly [Name in keyof GatewayOptions]-?: true });

/** The checked options. */
export interface GatewaySettings {
  /** Undefined if the key is invalid; the gateway then accepts nothing. */
  readonly writeKey: string | undefined;
  readonly clientAddress: ClientAddress | undefined;
  readonly maxMessagesPerSecond: number;
  readonly publicPath: string | undefined;
  readonly asksPeople: boolean;
}

/**
 * Reads the options. Replaces an invalid one by its default, or by a safer value.
 * @throws whatever reading them throws
 */
export function readGatewayOptions(options: GatewayOptions): GatewaySettings {
  const given: Partial<Record<keyof GatewayOptions, unknown>> = isRecord(options) ? options : {};
  const { writeKey, clientAddress, maxMessagesPerSecond, publicPath, asksPeople } = given;
  const isNumber = typeof maxMessagesPerSecond === "number" && Number.isFinite(maxMessagesPerSecond);
  return {
    writeKey: isText(writeKey) ? writeKey : undefined,
    clientAddress: typeof clientAddress === "function" ? options.clientAddress : undefined,
    maxMessagesPerSecond: isNumber ? Math.max(1, maxMessagesPerSecond) : MAX_MESSAGES_PER_SECOND,
    publicPath: isPath(publicPath) ? publicPath.replace(/\/+$/, "") : undefined,
    // An invalid value must not have the effect that people are not asked.
    asksPeople: asksPeople !== undefined && asksPeople !== false,
  };
}

/** Lists what is wrong with the options, and says if the plan declares no event for the client. */
export function checkGateway(options: GatewayOptions, { gate }: Core): readonly string[] {
  const given: Partial<Record<keyof GatewayOptions, unknown>> = isRecord(options) ? options : {};
  const { writeKey, clientAddress, maxMessagesPerSecond, publicPath, asksPeople } = given;
  const rate = "a number of messages";
  return [
    ...(isText(writeKey) ? [] : [KEY_MISSING]),
    ...(gate.hasEvents("client") ? [] : ["gateway: the plan declares no event for the client."]),
    ...findOtherType("gateway.clientAddress", clientAddress, "function", "a function of the request"),
    ...findNoNumber("gateway.maxMessagesPerSecond", maxMessagesPerSecond, rate, 1),
    ...(publicPath === undefined || isPath(publicPath) ? [] : [PATH_WRONG]),
    ...findOtherType("gateway.asksPeople", asksPeople, "boolean", "true or false"),
    ...findUnknown(given, NAMES, "gateway."),
  ];
}

const KEY_MISSING =
  "gateway.writeKey: give the client's write key; `candor keys` prints it. Without it the gateway takes nothing.";

const PATH_WRONG = "gateway.publicPath: give a path that begins with a slash, such as /red/telemetry.";

function isPath(value: unknown): value is string {
  return (
    typeof value === "string" && value.startsWith("/") && !value.startsWith("//") && !/[?#\s]/.test(value)
  );
}
