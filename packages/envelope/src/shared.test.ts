import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "./message.ts";
import { ALONE, MAX_MESSAGE_BYTES, readShared, sizeFaultOf } from "./shared.ts";

/** An object whose JSON has this many bytes. */
function sized(bytes: number): { [key: string]: string } {
  return { text: "x".repeat(bytes - '{"text":""}'.length) };
}

describe("what a batch shares", () => {
  it("is measured once, as JSON in UTF-8", () => {
    const shared = readShared({ context: { name: "é" }, integrations: { All: true } });
    expect(shared.bytes).toBe(Buffer.byteLength('{"name":"é"}') + '{"All":true}'.length);
  });

  it("is ignored if it is not an object", () => {
    expect(readShared({ context: ["x"], integrations: "x", sentAt: null })).toEqual(ALONE);
  });

  it("counts as too large if it nests too deep to be serialised, so no message is accepted", () => {
    let context: JsonObject = {};
    for (let level = 0; level < 100_000; level++) context = { context };
    expect(sizeFaultOf({}, 0, readShared({ context }))).toBe("event_too_large");
  });
});

describe("a message's size", () => {
  it.each([
    ["32 KiB alone", sized(MAX_MESSAGE_BYTES), 0, undefined],
    ["a byte more", sized(MAX_MESSAGE_BYTES + 1), 0, "event_too_large"],
    ["32 KiB with what is shared", sized(MAX_MESSAGE_BYTES - 20), 20, undefined],
    ["a byte more with what is shared", sized(MAX_MESSAGE_BYTES - 19), 20, "event_too_large"],
    ["fields that are not kept count too", { _metadata: sized(MAX_MESSAGE_BYTES) }, 0, "event_too_large"],
    ["more shared than a message may have", {}, MAX_MESSAGE_BYTES + 1, "event_too_large"],
  ])("%s", (_what, message, bytes, fault) => {
    expect(sizeFaultOf(message, 0, { ...ALONE, bytes })).toBe(fault);
  });

  it("counts what is shared for each message, up to 8 MiB", () => {
    const shared = { ...ALONE, bytes: MAX_MESSAGE_BYTES / 2 };
    expect(sizeFaultOf({}, 511, shared)).toBe(undefined);
    expect(sizeFaultOf({}, 512, shared)).toBe("batch_too_large");
  });

  it("is the exact length of its JSON, whatever it contains", () => {
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((part) => part.repeat(200));
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.jsonValue()), { maxKeys: 6 }), (message) => {
        const isLarger = Buffer.byteLength(JSON.stringify(message)) > MAX_MESSAGE_BYTES;
        expect(sizeFaultOf(message, 0, ALONE)).toBe(isLarger ? "event_too_large" : undefined);
      }),
    );
  });
});
