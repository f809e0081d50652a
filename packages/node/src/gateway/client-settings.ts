import type { GatewayRequest } from "./body.ts";
import { mountOf } from "./route.ts";

/**
 * The settings that analytics-next loads first: they have it send here. An empty `integrations` would make it send every
 * event to its maker's own host; without the key it sends nothing at all.
 */
export function clientSettings(request: GatewayRequest, apiKey: string, isAllowed: boolean): object {
  if (!isAllowed) return {};
  const { protocol, host } = originOf(request);
  const apiHost = `${host}${mountOf(request.originalUrl ?? request.url ?? "")}/v1`;
  return { integrations: { "Segment.io": { apiKey, apiHost, protocol } } };
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
