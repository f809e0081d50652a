/** Owns why the gateway refuses a whole request. The codes are the collector's where it has the same. */
import { CodedError, type ErrorDetails, type ErrorEntry, WIRE_ERRORS } from "@candor/envelope/http";

const GATEWAY_FAULTS = {
  ...WIRE_ERRORS,
  not_found: { status: 404, message: "There is nothing at this address of the gateway." },
  not_same_origin: {
    status: 403,
    message:
      "The gateway takes messages of its own origin's pages only. A proxy before it must pass on Host, or set X-Forwarded-Host.",
  },
  too_many_requests: {
    status: 429,
    retryAfterS: 1,
    message: "More arrives than is taken. Send it again a little later.",
  },
  internal: { status: 500, message: "The gateway failed in a way it does not know." },
} as const satisfies { [code: string]: ErrorEntry };

export type GatewayFaultCode = keyof typeof GATEWAY_FAULTS;

export class GatewayFault extends CodedError<GatewayFaultCode> {
  constructor(code: GatewayFaultCode, details?: ErrorDetails) {
    super(code, GATEWAY_FAULTS[code], details);
    this.name = "GatewayFault";
  }
}
