import type { GatewayRequest } from "./body.ts";
import { mountOf } from "./route.ts";

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

/**
 * The settings that analytics-next loads first. They make it send events here, and its metrics about itself nowhere: by default
 * those go to its maker's own host. Without `integrations` its `track()` never resolves, and with an empty one it would send
 * every event to its maker. So a client of which nothing would be kept gets the same settings, with no tries allowed: it gives
 * each event up before it sends it.
 */
export function clientSettings(
  request: GatewayRequest,
  { apiKey, isAllowed, publicPath }: ClientSettingsOptions,
): object {
  const { protocol, host } = originOf(request);
  const apiHost = `${host}${publicPath ?? pathOf(request)}/v1`;
  const segment = { apiKey, apiHost, protocol };
  const never = { httpConfig: { backoffConfig: { maxRetryCount: 0 } } };
  return {
    integrations: { "Segment.io": isAllowed ? segment : { ...segment, ...never } },
    metrics: { sampleRate: 0 },
  };
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
