import { expect, it } from "vitest";
import { isPlainMessageId } from "./message-id.ts";

it.each([
  "0f6b07ee-0717-413-808c-c25b09c0468",
  "api-1joj5LZSzuVCI9KshnaX059JYKo",
  "ajs-9176c8f5ebc607524746206ea6aa7502",
  "node-next-1719412345678-0b62ab60-02ad-4f69-a181-d9c5eb2f97fa",
  "check_17.a:b-c",
  "m1",
  "key-17",
])("keeps %s, which is certainly an id", (messageId) => {
  expect(isPlainMessageId(messageId)).toBe(true);
});

it.each([
  "jane@example.org",
  "203.0.113.7",
  "msg-203.0.113.7:8080",
  "2001:db8::7",
  "::1",
  "db1.internal",
  "www.host.io",
  "order:db1.corp.example:7",
  "sk_live_4eC39HqLyjWDarjtT1zdP7dc",
  "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
  "sk-proj-abcdef",
  "msg-sk_live_4eC39HqLyjWDarjtT1zdP7dc",
  "AKIAIOSFODNN7EXAMPLE",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
  "has blank",
  "",
])("does not keep %s", (messageId) => {
  expect(isPlainMessageId(messageId)).toBe(false);
});
