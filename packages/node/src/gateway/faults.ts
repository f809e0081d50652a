/**
 * Why a whole request is refused, each with what the browser's client gets. Clients of the Segment family drop a batch on
 * any 4xx but 408 and 429, and send it again after those and any 5xx. The codes are the collector's where it has the same.
 */
export const GATEWAY_FAULTS = {
  not_found: { status: 404, message: "There is nothing at this address of the gateway." },
  method_not_allowed: { status: 405, message: "This address takes another method." },
  not_same_origin: {
    status: 403,
    message:
      "The gateway takes messages of its own origin's pages only. A proxy before it must pass on Host, or set X-Forwarded-Host.",
  },
  body_unreadable: { status: 400, message: "The body is not readable JSON. Send one JSON object, as UTF-8." },
  body_not_object: {
    status: 400,
    message: 'The body is not a JSON object. Send one message, or {"batch":[...]}.',
  },
  batch_not_array: {
    status: 400,
    message: 'The field "batch" is not an array. Send {"batch":[message, ...]}.',
  },
  encoding_unknown: {
    status: 400,
    message: "This content-encoding is not known. Send the body plain, or with content-encoding: gzip.",
  },
  body_too_large: { status: 413, message: "The body is larger than 1 MiB (after gunzip)." },
  batch_too_long: { status: 413, message: "The batch has more than 2500 messages." },
  body_fragmented: {
    status: 400,
    message: "The body arrives in pieces of a few bytes. Send it whole, or in pieces of at least a kilobyte.",
  },
  body_timeout: { status: 408, message: "The body did not arrive in time. Send it again." },
  too_many_requests: { status: 429, message: "More arrives than is taken. Send it again a little later." },
  internal: { status: 500, message: "The gateway failed in a way it does not know." },
} as const satisfies { [code: string]: { readonly status: number; readonly message: string } };

export type GatewayFaultCode = keyof typeof GATEWAY_FAULTS;

/** Refuses a request. Holds nothing of what was sent. */
export class GatewayFault extends Error {
  readonly code: GatewayFaultCode;
  /** For the header Retry-After. */
  readonly retryAfterS: number | undefined;

  constructor(code: GatewayFaultCode, retryAfterS?: number) {
    super(GATEWAY_FAULTS[code].message);
    this.name = "GatewayFault";
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}
