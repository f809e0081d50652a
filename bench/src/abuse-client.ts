/** Sends a hostile request over a raw socket, as fast as the server reads it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { AbuseBody, AbuseCase } from "./abuse-cases.ts";
import { writeKeys } from "./collector.ts";

export type RawAnswer = {
  /** Null if the connection ended or the time was up before a status line arrived. */
  readonly status: number | null;
  /**
   * The time from the first byte sent to the status line; without one, to the end of the connection or of the
   * wait.
   */
  readonly afterMs: number;
  readonly closed: "closed" | "reset" | "still open";
};

const GIVE_UP_AFTER_MS = 60_000;

/**
 * Sends the body until it is complete, the server answers (which it may do before it has read everything) or
 * the connection ends. Then waits for the answer, until GIVE_UP_AFTER_MS after the start, and closes the
 * connection.
 */
export async function postRaw(url: string, body: AbuseBody, abuse: AbuseCase): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, "connect");
  const startAt = performance.now();
  const answer = answerOf(socket, startAt);
  socket.write(headOf(host, body, abuse));
  await sendBody(socket, body, abuse);
  const result = await answer;
  socket.destroy();
  return result;
}

function headOf(host: string, body: AbuseBody, { framing, headers }: AbuseCase): string {
  const length = `Content-Length: ${body.piece.length * body.times}`;
  return [
    "POST /v1/batch HTTP/1.1",
    `Host: ${host}`,
    `Authorization: Basic ${Buffer.from(`${writeKeys.server}:`).toString("base64")}`,
    ...headers,
    framing === "length" ? length : "Transfer-Encoding: chunked",
    "",
    "",
  ].join("\r\n");
}

async function sendBody(socket: Socket, body: AbuseBody, { framing }: AbuseCase): Promise<void> {
  let isAnswered = false;
  const stop = new Promise<void>((resolve) => {
    for (const event of ["data", "close"]) {
      socket.once(event, () => {
        isAnswered = true;
        resolve();
      });
    }
  });
  const piece = framing === "length" ? body.piece : chunkOf(body.piece);
  for (let sent = 0; sent < body.times && !isAnswered; sent++) {
    if (!socket.write(piece))
      await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), stop]);
  }
  if (framing === "chunked" && !isAnswered) socket.write("0\r\n\r\n");
}

function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
}

function answerOf(socket: Socket, startAt: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let isReset = false;
    const settle = (status: number | null, closed: RawAnswer["closed"]) => {
      clearTimeout(timer);
      resolve({ status, closed, afterMs: performance.now() - startAt });
    };
    const timer = setTimeout(settle, GIVE_UP_AFTER_MS, null, "still open");
    socket.once("data", (data: Buffer) => settle(Number(data.toString("latin1", 9, 12)), "still open"));
    socket.on("error", () => {
      isReset = true;
    });
    socket.once("close", () => settle(null, isReset ? "reset" : "closed"));
  });
}
