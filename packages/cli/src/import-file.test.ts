import { expect, test } from "vitest";
import { type Batch, readBatches, type Unreadable } from "./import-file.ts";

async function read(
  chunks: readonly (string | Buffer)[],
  source?: "server",
): Promise<{ batches: Batch[]; unreadable: Unreadable[] }> {
  const unreadable: Unreadable[] = [];
  const batches: Batch[] = [];
  const bytes = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  for await (const batch of readBatches(bytes, source, (one) => unreadable.push(one))) batches.push(batch);
  return { batches, unreadable };
}

const line = (id: string, more: object = {}): string =>
  `${JSON.stringify({ type: "track", event: "A", messageId: id, ...more })}\n`;

test("messages go to the source that they name, or else to the given one", async () => {
  const { batches, unreadable } = await read(
    [
      line("1", { candor: { source: "client", planVersion: 3 } }),
      line("2"),
      line("3", { candor: { source: "x" } }),
    ],
    "server",
  );
  expect(unreadable).toEqual([]);
  expect(
    batches.map(({ source, messages }) => [source, messages.map((one) => JSON.parse(one).messageId)]),
  ).toEqual([
    ["client", ["1"]],
    ["server", ["2", "3"]],
  ]);
});

test("of an export only what the sender said is sent again, with the time at which it happened", async () => {
  const event = {
    ...{
      type: "track",
      event: "A",
      messageId: "1",
      userId: "u",
      properties: { a: 1 },
      context: { locale: "de" },
    },
    ...{ timestamp: "2026-01-01T00:00:00.000Z", originalTimestamp: "2026-01-01T00:00:07.000Z" },
    ...{ sentAt: "2026-01-01T00:00:08.000Z", receivedAt: "2026-01-01T00:00:01.000Z" },
    ...{ candor: { source: "server", country: "DE" }, writeKey: "stolen" },
  };
  const { batches } = await read([`${JSON.stringify(event)}\n`]);
  const { originalTimestamp, sentAt, receivedAt, candor, writeKey, ...kept } = event;
  expect(batches.map(({ messages }) => messages.map((one) => JSON.parse(one)))).toEqual([[kept]]);
});

test("lines may be cut anywhere, even within a letter, and end with CRLF or with the file", async () => {
  const bytes = Buffer.from(`${line("ä").trim()}\r\n\n${line("€").trim()}`);
  const { batches, unreadable } = await read(
    Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
    "server",
  );
  expect(unreadable).toEqual([]);
  expect(batches[0]?.messages.map((one) => JSON.parse(one).messageId)).toEqual(["ä", "€"]);
  expect(batches[0]?.readBytes).toBe(bytes.length);
});

test("what is no message is told with its line, and the rest goes on", async () => {
  const long = `{"a":"${"x".repeat(1_000_000)}"}\n`;
  const { batches, unreadable } = await read(
    [line("1"), "{\n", "[1]\n", long, "null\n", line("2")],
    "server",
  );
  expect(batches.flatMap(({ messages }) => messages)).toHaveLength(2);
  expect(unreadable).toEqual([
    { line: 2, why: "it is not JSON" },
    { line: 3, why: "it is not a JSON object" },
    { line: 4, why: "it is longer than a megabyte" },
    { line: 5, why: "it is not a JSON object" },
  ]);
  expect((await read([line("1")])).unreadable).toEqual([
    { line: 1, why: "it names no source: give --source" },
  ]);
});

test("a file without line breaks does not fill the memory", async () => {
  const chunk = Buffer.alloc(600_000, "x");
  const { batches, unreadable } = await read(
    [...Array.from({ length: 50 }, () => chunk), "\n", line("1")],
    "server",
  );
  expect(unreadable).toEqual([{ line: 1, why: "it is longer than a megabyte" }]);
  expect(batches.flatMap(({ messages }) => messages)).toHaveLength(1);
});

test("batches have at most 500 messages, and half a megabyte or one message more", async () => {
  const many = await read([Array.from({ length: 1100 }, (_, n) => line(`${n}`)).join("")], "server");
  expect(many.batches.map(({ messages }) => messages.length)).toEqual([500, 500, 100]);
  const large = await read(
    Array.from({ length: 4 }, (_, n) => line(`${n}`, { properties: { a: "x".repeat(300_000) } })),
    "server",
  );
  expect(large.batches.map(({ messages }) => messages.length)).toEqual([2, 2]);
});

test("an exported event whose ids the plan removed gets one again, and no other message does", async () => {
  const { batches } = await read([line("1", { candor: { source: "server" } }), line("2")], "server");
  const ids = batches.flatMap(({ messages }) => messages.map((one) => JSON.parse(one).anonymousId));
  expect(ids).toEqual([expect.stringMatching(/^import-[0-9a-f]{32}$/), undefined]);
});

test("a message without a messageId gets the same one each time", async () => {
  const text = '{"type":"track","event":"A","userId":"u"}\n{"type":"track","event":"B","userId":"u"}\n';
  const idsOf = async (): Promise<string[]> =>
    (await read([text], "server")).batches.flatMap(({ messages }) =>
      messages.map((one) => JSON.parse(one).messageId),
    );
  const [first, second] = await idsOf();
  expect(first).toMatch(/^import-[0-9a-f]{32}$/);
  expect(second).not.toBe(first);
  expect(await idsOf()).toEqual([first, second]);
});
