/** Opens connections that send one byte per second. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { writeKeys } from "./collector.ts";

export type SlowFigures = {
  /** The number of connections that the server closed before the time was up. */
  readonly closed: number;
  /**
   * The times from the start until the first and the last of these were closed. If none was, `firstMs` is the
   * whole duration and `lastMs` is 0.
   */
  readonly firstMs: number;
  readonly lastMs: number;
};

const BYTE_EVERY_MS = 1000;

/**
 * Opens connections that send one byte of a request per second: half of them in the
 * headers, half in the body.
 */
export async function slowConnections(url: string, count: number, forMs: number): Promise<SlowFigures> {
  const closedAfterMs: number[] = [];
  const stops = Array.from({ length: count }, (_, index) =>
    openSlow(url, index % 2 === 0, (afterMs) => closedAfterMs.push(afterMs)),
  );
  await sleep(forMs);
  const figures = {
    closed: closedAfterMs.length,
    firstMs: Math.min(...closedAfterMs, forMs),
    lastMs: Math.max(...closedAfterMs, 0),
  };
  for (const stop of stops) stop();
  return figures;
}

function openSlow(url: string, inHeaders: boolean, onClose: (afterMs: number) => void): () => void {
  const { hostname, port, host } = new URL(url);
  const startAt = performance.now();
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const key = Buffer.from(`${writeKeys.server}:`).toString("base64");
  const start = `POST /v1/track HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Basic ${key}\r\n`;
  socket.write(inHeaders ? `${start}X-Slow: ` : `${start}Content-Length: 100000\r\n\r\n`);
  const timer = setInterval(() => socket.write(inHeaders ? "x" : " "), BYTE_EVERY_MS);
  // An answer, such as 408, is read and ignored. Only the end of the connection counts.
  socket.resume();
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    onClose(performance.now() - startAt);
  });
  return () => socket.destroy();
}
