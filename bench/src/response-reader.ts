/** `data` holds the body from `bodyStart` to `bodyEnd`; it is only valid during the call. */
export type OnResponse = (status: number, data: Buffer, bodyStart: number, bodyEnd: number) => void;

const EMPTY = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_FEED = 10;
const COLON = 58;

/**
 * Owns how responses are read: calls back once for each HTTP/1.1 response, however the packets are cut.
 * Knows framing by Content-Length, which is what a collector answers with, and `Connection: close` without a body, which is how
 * node:http answers a timeout; anything else throws, because a response whose end is guessed would falsify every latency after it.
 */
export function responseReader(onResponse: OnResponse): (chunk: Buffer) => void {
  let held: Buffer = EMPTY;
  return (chunk) => {
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (at < data.length) {
      const headEnd = data.indexOf(HEAD_END, at);
      if (headEnd === -1) break;
      const status = statusAt(data, at);
      const bodyStart = headEnd + HEAD_END.length;
      // Informational and 204 responses have no body and no length.
      const bodyEnd = bodyStart + (status < 200 || status === 204 ? 0 : contentLength(data, at, headEnd));
      if (bodyEnd > data.length) break;
      at = bodyEnd;
      if (status >= 200) onResponse(status, data, bodyStart, bodyEnd);
    }
    held = at === data.length ? EMPTY : data.subarray(at);
  };
}

/** `HTTP/1.1 200 OK`: the digits stand at 9, 10 and 11. */
function statusAt(data: Buffer, start: number): number {
  const status = digit(data, start + 9) * 100 + digit(data, start + 10) * 10 + digit(data, start + 11);
  if (!(status >= 100 && status <= 599))
    throw new Error(`not an HTTP response: ${data.toString("latin1", start, start + 40)}`);
  return status;
}

function digit(data: Buffer, at: number): number {
  return (data[at] ?? Number.NaN) - 48;
}

/** Looks for a line that starts with c, has l ninth and a colon fifteenth: only `content-length:` does among headers in use. */
function contentLength(data: Buffer, start: number, end: number): number {
  for (let at = start; at < end - 15; at++) {
    if (data[at] !== LINE_FEED || data[at + 15] !== COLON) continue;
    if (((data[at + 1] ?? 0) | 32) !== 99 || ((data[at + 9] ?? 0) | 32) !== 108) continue;
    const length = Number(data.toString("latin1", at + 16, lineEnd(data, at + 16)).trim());
    if (Number.isSafeInteger(length)) return length;
  }
  const head = data.toString("latin1", start, end);
  if (/^connection: close$/im.test(head) && !/^transfer-encoding:/im.test(head)) return 0;
  throw new Error(`a response without Content-Length: ${head}`);
}

function lineEnd(data: Buffer, from: number): number {
  return data.indexOf("\r", from);
}

const ACCEPTED = Buffer.from('"accepted":');

/** The number after `"accepted":` in a batch's answer; null where the answer has none (single messages, the baseline). */
export function acceptedIn(data: Buffer, bodyStart: number, bodyEnd: number): number | null {
  const found = data.indexOf(ACCEPTED, bodyStart);
  if (found === -1 || found >= bodyEnd) return null;
  let accepted = 0;
  for (let at = found + ACCEPTED.length; at < bodyEnd; at++) {
    const value = digit(data, at);
    if (!(value >= 0 && value <= 9)) break;
    accepted = accepted * 10 + value;
  }
  return accepted;
}
