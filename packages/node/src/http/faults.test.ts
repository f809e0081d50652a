import { describe, expect, it } from "vitest";
import { FAULT_SENTENCES, FaultError, faultOf } from "./faults.ts";

const coded = (code: unknown): Error => Object.assign(new Error("x"), { code });

describe("the fault of an error", () => {
  it.each([
    ["ECONNREFUSED", "refused"],
    ["ENETUNREACH", "refused"],
    ["EPERM", "refused"],
    ["ECONNRESET", "reset"],
    ["EPIPE", "reset"],
    ["ETIMEDOUT", "timeout"],
    ["ENOTFOUND", "dns"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["EPROTO", "tls"],
    ["HPE_INVALID_CONSTANT", "protocol"],
    ["HPE_HEADER_OVERFLOW", "protocol"],
    ["EMFILE", "other"],
    [7, "other"],
  ])("with code %s is %s", (code, fault) => {
    expect(faultOf(coded(code))).toBe(fault);
  });

  it("without a code is the one that the caller names", () => {
    expect([faultOf(new Error("x")), faultOf("x", "tls"), faultOf(undefined, "proxy")]).toEqual([
      "other",
      "tls",
      "proxy",
    ]);
  });

  it("of type FaultError is the one that it carries", () => {
    expect(faultOf(new FaultError("answer_too_large"), "tls")).toBe("answer_too_large");
  });

  it("has one sentence for the operator", () => {
    for (const sentence of Object.values(FAULT_SENTENCES)) expect(sentence).toMatch(/^[A-Z][^.!?\n]+\.$/);
  });
});
