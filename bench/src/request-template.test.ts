import { expect, test } from "vitest";
import { idTag, idWriter, timeWriter } from "./patch.ts";
import { buildRequest, stampedId, stampRequest } from "./request-template.ts";
import { usageEvents, usageFleet } from "./usage-event.ts";

const target = { host: "127.0.0.1:7226", path: "/v1/batch", writeKey: "key" };
const nowMs = Date.parse("2026-05-01T10:00:00.000Z");

type Sent = { messageId: string; timestamp: string; sentAt?: string };

function sentBody(size: number): { body: Sent & { batch?: Sent[] }; ids: string[] } {
  const template = buildRequest(target, Array.from({ length: size }, usageEvents(usageFleet(), 1)));
  stampRequest(template, idWriter(idTag("1", 0)), timeWriter(), nowMs);
  return {
    body: JSON.parse(template.bytes.subarray(template.bodyStart).toString()),
    ids: template.idOffsets.map((_, index) => stampedId(template, index)),
  };
}

test("each event of a batch gets its own id and time, and the batch is still valid JSON", () => {
  const { body, ids } = sentBody(100);
  expect(body.batch?.map(({ messageId }) => messageId)).toEqual(ids);
  expect(new Set(ids).size).toBe(100);
  expect(new Set(body.batch?.map(({ timestamp }) => timestamp)).size).toBe(100);
  expect(body.sentAt).toBe("2026-05-01T10:00:00.000Z");
});

test("a single event is sent as a message that contains sentAt", () => {
  const { body, ids } = sentBody(1);
  expect(body).toMatchObject({
    messageId: ids[0],
    timestamp: "2026-05-01T09:59:59.951Z",
    sentAt: "2026-05-01T10:00:00.000Z",
  });
});

test("usage events are about 900 bytes as the collector receives them", () => {
  const nextEvent = usageEvents(usageFleet(), 1);
  const bytes = Array.from({ length: 1000 }, () => Buffer.byteLength(JSON.stringify(nextEvent())));
  const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  expect(mean).toBeGreaterThan(780);
  expect(mean).toBeLessThan(950);
});
