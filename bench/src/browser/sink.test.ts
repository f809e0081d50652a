import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { clicksIn, toText } from "./sink.ts";

const SEGMENT = { messageId: "m1", event: "DEPLOY_CLICK", properties: { id: "click-1-1" } };

it.each([
  ["JSON", Buffer.from(JSON.stringify(SEGMENT)), ""],
  ["gzip", gzipSync(JSON.stringify(SEGMENT)), "?compression=gzip-js"],
  [
    "base64 in a form",
    Buffer.from(`data=${encodeURIComponent(Buffer.from(JSON.stringify(SEGMENT)).toString("base64"))}`),
    "",
  ],
])("decodes a body in the form of %s", (_name, body, url) => {
  expect(clicksIn(toText(body, url))).toEqual([{ click: "click-1-1", messageId: "m1" }]);
});

it("finds every click, with the id of its own message", () => {
  const batch = { batch: [SEGMENT, { uuid: "u2", properties: { id: "click-1-2" } }], messageId: "outer" };
  expect(clicksIn(JSON.stringify(batch))).toEqual([
    { click: "click-1-1", messageId: "m1" },
    { click: "click-1-2", messageId: "u2" },
  ]);
  expect(clicksIn(JSON.stringify({ n: "DEPLOY_CLICK", p: '{"id":"click-1-3"}' }))).toEqual([
    { click: "click-1-3", messageId: undefined },
  ]);
  expect(clicksIn("not JSON")).toEqual([]);
});
