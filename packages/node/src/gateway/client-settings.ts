/** Owns where browsers find the gateway. */
import { browserSettings } from "@candor/envelope/http";
import { type GatewayRequest, mountOf } from "./request.ts";

/** A path prefix of plain characters, which a proxy may strip. */
const PREFIX = /^(?:\/[\w.~-]{1,100}){1,10}$/;

export interface ClientSettingsOptions {
  /** The write key that the client gave. */
  readonly apiKey: string;
  /** Whether anything that this client sends would be kept. */
  readonly isAllowed: boolean;
  /** Where browsers find the gateway, such as `/red/telemetry`; undefined: as the request and its headers say. */
  readonly publicPath: string | undefined;
}

/** The settings that analytics-next loads first, as JSON. */
export function clientSettings(request: GatewayRequest, options: ClientSettingsOptions): string {
  const { apiKey, isAllowed, publicPath } = options;
  const { protocol, host } = originOf(request);
  return browserSettings({
    apiKey,
    protocol,
    apiHost: `${host}${publicPath ?? pathOf(request)}/v1`,
    isAllowed,
  });
}

/** A proxy that strips a prefix says which. A false one harms nobody else: only the client that sent it gets this answer. */
function pathOf({ headers, originalUrl, url = "" }: GatewayRequest): string {
  const prefix = (String(headers["x-forwarded-prefix"] ?? "").split(",")[0] ?? "").trim().replace(/\/$/, "");
  return `${PREFIX.test(prefix) ? prefix : ""}${mountOf(originalUrl ?? url)}`;
}

/**
 * The origin that the browser knows this gateway by. The page that asks has the same one, and says so in `Referer`; a reverse
 * proxy often hides it from `Host`. Only whoever asks gets the answer, so what it says of itself may be believed.
 */
function originOf({ headers, socket }: GatewayRequest): { protocol: "http" | "https"; host: string } {
  const { referer = "", host = "localhost" } = headers;
  const page = URL.canParse(referer) ? new URL(referer) : undefined;
  if (page?.protocol === "https:") return { protocol: "https", host: page.host };
  if (page?.protocol === "http:") return { protocol: "http", host: page.host };
  const isSecure = "encrypted" in socket || headers["x-forwarded-proto"] === "https";
  return { protocol: isSecure ? "https" : "http", host };
}
