import { expect, test } from "vitest";
import { acceptedIn, responseReader } from "./response-reader.ts";

type Seen = { status: number; body: string; accepted: number | null };

function readAll(packets: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  const read = responseReader((status, data, start, end) =>
    seen.push({ status, body: data.toString("utf8", start, end), accepted: acceptedIn(data, start, end) }),
  );
  for (const packet of packets) read(packet);
  return seen;
}

function response(status: string, body: string, lengthName = "content-length"): string {
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n${lengthName}: ${length}\r\nconnection: keep-alive\r\n\r\n${body}`;
}

const stream = Buffer.from(
  response("200 OK", '{"success":true,"accepted":100,"dropped":[]}') +
    "HTTP/1.1 100 Continue\r\n\r\n" +
    response("503 Service Unavailable", '{"success":false,"message":"später"}', "Content-Length") +
    response("200 OK", "") +
    response("200 OK", '{"success":true}'),
);
const expected: Seen[] = [
  { status: 200, body: '{"success":true,"accepted":100,"dropped":[]}', accepted: 100 },
  { status: 503, body: '{"success":false,"message":"später"}', accepted: null },
  { status: 200, body: "", accepted: null },
  { status: 200, body: '{"success":true}', accepted: null },
];

test("reads several responses from one packet", () => {
  expect(readAll([stream])).toEqual(expected);
});

test("reads the same responses wherever the packets are split", () => {
  for (let cut = 1; cut < stream.length; cut++) {
    expect(readAll([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected);
  }
});

test("reads the same responses byte by byte", () => {
  expect(readAll(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(expected);
});

test("an `accepted` of the next response does not count for this one", () => {
  const [first] = readAll([Buffer.from(response("200 OK", "{}") + response("200 OK", '{"accepted":5}'))]);
  expect(first?.accepted).toBeNull();
});

test("an answer without a body, sent before closing, is also a response", () => {
  const packet = Buffer.from("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  expect(readAll([packet])).toEqual([{ status: 408, body: "", accepted: null }]);
});

test("a response whose end cannot be determined throws", () => {
  expect(() =>
    readAll([Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")]),
  ).toThrow("without Content-Length");
  expect(() => readAll([Buffer.from("garbage\r\n\r\n")])).toThrow("not an HTTP response");
});
