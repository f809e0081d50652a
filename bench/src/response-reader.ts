/** Reads HTTP/1.1 responses from the chunks of a connection. */

/**
 * Receives one HTTP response. `data` contains the body from `bodyStart` to `bodyEnd`, and is valid only
 * during the call.
 */
export type OnResponse = (status: number, data: Buffer, bodyStart: number, bodyEnd: number) => void;

const EMPTY = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_FEED = 10;
const COLON = 58;

/**
 * Reads HTTP/1.1 responses, and calls back once for each response that is not informational, wherever the
 * packets are split. Supports Content-Length, which a collector sends, and `Connection: close` without a
 * body, which node:http sends on a timeout. Any other framing throws, because a wrongly guessed end of a
 * response would distort all later latencies.
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

/** The status of a response. Its digits are at the offsets 9, 10 and 11: `HTTP/1.1 200 OK`. */
function statusAt(data: Buffer, start: number): number {
  const status = digit(data, start + 9) * 100 + digit(data, start + 10) * 10 + digit(data, start + 11);
  if (!(status >= 100 && status <= 599))
    throw new Error(`not an HTTP response: ${data.toString("latin1", start, start + 40)}`);
  return status;
}

function digit(data: Buffer, at: number): number {
  return (data[at] ?? Number.NaN) - 48;
}

/**
 * Finds the header by the positions of `c`, `l` and the colon. Of the headers in use, only `content-length:`
 * matches. Returns 0 if there is only `Connection: close`.
 */
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

/**
 * The number after `"accepted":` in a batch's answer; null if the answer has none
 * (single messages, the baseline).
 */
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
