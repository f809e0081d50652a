/** Names the faults of contacting a collector, and finds the fault behind an error. */
import { codeOf } from "@candor/envelope/unknown-value";

/** Why a post got no usable answer, each reason with a sentence for the operator. */
export const FAULT_SENTENCES = {
  dns: "The collector's name could not be resolved, or a DNS or hosts entry blocks it.",
  refused:
    "The collector's address refused the connection: nothing listens there, or there is no route to it.",
  reset: "The connection broke before the whole answer had arrived.",
  timeout: "The collector did not answer in time.",
  tls: "No secure connection could be made: the certificate was not trusted, or TLS failed.",
  proxy: "The proxy that the environment names could not be used, or it refused to pass the request on.",
  protocol: "What came back was not a valid HTTP answer.",
  cancelled: "Sending was stopped, because the process or its telemetry was ending.",
  answer_too_large: "The answer was too long, or came in too many chunks, and was not read to its end.",
  other: "Sending failed for an unknown reason.",
} as const;

export type HttpFault = keyof typeof FAULT_SENTENCES;

/**
 * Carries a fault up to the HTTP client, which turns it into an outcome. Never contains a name, an address or
 * a key.
 */
export class FaultError extends Error {
  readonly fault: HttpFault;
  constructor(fault: HttpFault) {
    super(fault);
    this.fault = fault;
  }
}

const FAULT_OF_CODE: ReadonlyMap<string, HttpFault> = new Map([
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "refused"],
  ["ENETUNREACH", "refused"],
  ["EHOSTDOWN", "refused"],
  ["ENETDOWN", "refused"],
  ["EADDRNOTAVAIL", "refused"],
  ["EAFNOSUPPORT", "refused"],
  ["EACCES", "refused"], // a firewall's answer to connect()
  ["EPERM", "refused"],
  ["ECONNRESET", "reset"],
  ["ECONNABORTED", "reset"],
  ["EPIPE", "reset"],
  ["ERR_STREAM_PREMATURE_CLOSE", "reset"],
  ["ETIMEDOUT", "timeout"],
  ["EPROTO", "tls"],
  ["ENOTFOUND", "dns"],
  ["EAI_AGAIN", "dns"],
]);

/**
 * Node's codes for problems with a certificate, or with TLS itself. Other unknown codes get the fault of the
 * step that failed.
 */
const CERTIFICATE_CODE = /^ERR_(?:SSL|TLS)_|CERT|^UNABLE_TO_|^INVALID_(?:CA|PURPOSE)$|^HOSTNAME_MISMATCH$/;

/**
 * Returns the fault behind an error of the network, TLS or the HTTP parser.
 * @param unnamed the fault of an error without a known code
 */
export function faultOf(error: unknown, unnamed: HttpFault = "other"): HttpFault {
  if (error instanceof FaultError) return error.fault;
  const code = codeOf(error) ?? "";
  const known = FAULT_OF_CODE.get(code);
  if (known !== undefined) return known;
  if (CERTIFICATE_CODE.test(code)) return "tls";
  if (code.startsWith("HPE_")) return "protocol";
  return unnamed;
}
