/** Starts and stops the well-formed requests that are sent during abuse. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type TrickleFigures = { readonly answered: number; readonly failed: number; readonly maxMs: number };
export type Trickle = { stop(): Promise<TrickleFigures> };

/**
 * Starts sending. Resolves once the first request was answered or has failed; `TrickleFigures` does not count
 * that one's time.
 */
export async function startTrickle(url: string, writeKey: string): Promise<Trickle> {
  const child = fork(fileURLToPath(new URL("../dist/trickle-process.js", import.meta.url)), [url, writeKey]);
  await once(child, "message");
  return {
    async stop() {
      const answered = once(child, "message");
      child.send("stop");
      const [figures] = await answered;
      return figures as TrickleFigures;
    },
  };
}
