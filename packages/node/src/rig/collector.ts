/** For tests: starts a real collector. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type CandorProcess, startProcess } from "../../../server/src/rig/candor-process.ts";
import { EVENT, makeRigFolder } from "./child.ts";

const PLAN_FILE = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));
const TOKEN = "token-of-the-rig";
const WAIT_MS = 30_000;

/** An event as the collector's read API shows it. */
export interface StoredEvent {
  readonly messageId: string;
  readonly timestamp: string;
  readonly receivedAt: string;
  readonly properties: { readonly timeElapsed: number };
}

/** A real collector with the plan that the children use. */
export interface RigCollector {
  readonly url: string;
  /** Returns all rows of the children's event, once there are at least this many, or after half a minute. */
  readStored(atLeast: number): Promise<readonly StoredEvent[]>;
  /** The number of these rows according to `/api/count`. */
  count(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a collector, which the caller must stop.
 * @param path the PATH to the programs that the collector needs
 */
export async function startCollector(path: string): Promise<RigCollector> {
  const collector: CandorProcess = await startProcess({
    PATH: path,
    CANDOR_DATA_DIR: makeRigFolder(),
    CANDOR_PLAN: PLAN_FILE,
    CANDOR_ADMIN_TOKEN: TOKEN,
    CANDOR_WRITE_KEYS: "installer:installer_key,server:server_key,client:client_key",
  });
  const read = async (question: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${collector.url}/api/${question}`, { headers });
    if (response.status !== 200) throw new Error(`${question}: ${await response.text()}`);
    return response.json();
  };
  const count = async (): Promise<number> => {
    const answer = (await read(`count?event=${EVENT}`)) as { readonly count: number };
    return answer.count;
  };
  const readStored = async (atLeast: number): Promise<readonly StoredEvent[]> => {
    const until = Date.now() + WAIT_MS;
    while ((await count()) < atLeast && Date.now() < until) await sleep(50);
    const all: StoredEvent[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { events: StoredEvent[]; next: string | null } = (await read(
        `events?event=${EVENT}&limit=1000${cursor === "" ? "" : `&cursor=${cursor}`}`,
      )) as { events: StoredEvent[]; next: string | null };
      all.push(...page.events);
      cursor = page.next;
    }
    return all;
  };
  return { url: collector.url, count, readStored, stop: () => collector.kill() };
}
