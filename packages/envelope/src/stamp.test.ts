import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIds } from "./ids.ts";
import { parseMessage } from "./parse.ts";
import { ALONE } from "./shared.ts";
import { type Reception, stampMessage } from "./stamp.ts";
import { toIsoTime } from "./times.ts";

const RECEIVED_AT_MS = Date.parse("2020-11-04T08:05:52.726Z");
const ids = createIds({
  random: (bytes) => Buffer.alloc(bytes, 7),
  hash: (text) => createHmac("sha256", "key").update(text).digest("hex").slice(0, 32),
});
const reception: Reception = {
  receivedAtMs: RECEIVED_AT_MS,
  receivedAt: toIsoTime(RECEIVED_AT_MS),
  retryCount: 0,
  peerAddress: undefined,
};

function stamp(item: object, at: Partial<Reception> = {}): unknown {
  const message = parseMessage(item, ALONE);
  if (typeof message === "string") throw new Error(message);
  return JSON.parse(JSON.stringify(stampMessage(message, { ...reception, ...at }, ids)));
}

describe("stampMessage", () => {
  it("stamps a minimal message as Segment does", () => {
    expect(
      stamp({ type: "track", event: "Installation Started", userId: "u", properties: { os: "ubuntu" } }),
    ).toEqual({
      context: {},
      event: "Installation Started",
      integrations: {},
      messageId: expect.stringMatching(/^api-[0-9A-Za-z]{27}$/),
      properties: { os: "ubuntu" },
      receivedAt: "2020-11-04T08:05:52.726Z",
      timestamp: "2020-11-04T08:05:52.726Z",
      type: "track",
      userId: "u",
    });
  });

  it("keeps a messageId that is certainly an id, and only the hash of any other", () => {
    const track = { type: "track", event: "e", userId: "u" };
    expect(stamp({ ...track, messageId: "ajs-9176:c8f5._" })).toMatchObject({ messageId: "ajs-9176:c8f5._" });
    const hashed = stamp({ ...track, messageId: "jane@example.org" });
    expect(hashed).toEqual(stamp({ ...track, messageId: "jane@example.org" }));
    expect(hashed).toMatchObject({ messageId: expect.stringMatching(/^hashed-[0-9a-f]{32}$/) });
  });

  it("sets context.ip to the peer's address only if the client sent none", () => {
    const track = { type: "track", event: "e", userId: "u" };
    const peer = { peerAddress: "192.0.2.7" };
    expect(stamp(track, peer)).toMatchObject({ context: { ip: "192.0.2.7" } });
    expect(stamp({ ...track, context: { ip: "198.51.100.1" } }, peer)).toMatchObject({
      context: { ip: "198.51.100.1" },
    });
  });

  it("changes neither the given message nor the context that a batch's messages share", () => {
    const context = Object.freeze({ locale: "de" });
    const message = parseMessage({ type: "track", event: "e", userId: "u" }, { ...ALONE, context });
    if (typeof message === "string") throw new Error(message);
    stampMessage(message, { ...reception, peerAddress: "192.0.2.7" }, ids);
    expect(context).toEqual({ locale: "de" });
  });

  it("writes keys in alphabetical order, and only allowed characters in ids, for any message", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
        fc.string({ maxLength: 99 }),
        (properties, messageId) => {
          const keys = Object.entries(
            stamp({ type: "track", event: "e", userId: "u", properties, messageId }) as object,
          );
          const names = keys.map(([key]) => key);
          const id = keys.find(([key]) => key === "messageId")?.[1];
          return names.join() === [...names].sort().join() && /^[A-Za-z0-9._:-]{1,99}$/.test(String(id));
        },
      ),
    );
  });
});
