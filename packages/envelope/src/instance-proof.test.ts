import { expect, test } from "vitest";
import { toInstanceId, toSignedText } from "./instance-proof.ts";

test.each([
  // SHA-256 of 32 zero bytes: 66687aadf862bd776c8fc18b8e9f8e20...
  ["00".repeat(32), "66687aad-f862-8d77-ac8f-c18b8e9f8e20"],
  // SHA-256 of the public key of RFC 8032, 7.1, test 1: 21fe31dfa154a261626bf854046fd227...
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "21fe31df-a154-8261-a26b-f854046fd227",
  ],
])("the id of the key %s is a version 8 UUID made from its hash", (key, id) => {
  expect(toInstanceId(Buffer.from(key, "hex"))).toBe(id);
});

test("the signed text contains the action, the id, the time and the collector, in this order", () => {
  const claim = { action: "forget", instanceId: "i", signedAt: "t", origin: "https://a.example" } as const;
  expect(toSignedText(claim)).toBe("candor\nforget\ni\nt\nhttps://a.example");
});
