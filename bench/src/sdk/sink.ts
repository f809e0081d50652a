/** Starts and controls the sink's process, which stands in for the collector in the SDK benchmarks. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

export type Tally = {
  /** The number of distinct ids of usage events. */
  readonly distinct: number;
  /** The number of usage events, including those that arrived more than once. */
  readonly received: number;
};
export type SinkOrder = {
  readonly id: number;
  readonly action: "open" | "tally";
  readonly port: number;
};
export type SinkAnswer = {
  readonly id: number;
  readonly tally: Tally | null;
  readonly error: string | null;
};

/** The collector of one product, which is down until `open` is called. */
export type Lane = {
  readonly host: string;
  open(): Promise<void>;
  tally(): Promise<Tally>;
};

export type Sink = {
  lane(): Promise<Lane>;
  stop(): Promise<void>;
};

/**
 * The ports are below the range of ephemeral ports. A connection to a closed port in that range can get the
 * same port as its source, and so connect to itself.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

export function startSink(): Sink {
  const child = fork(fileURLToPath(new URL("../../dist/sdk/sink-process.js", import.meta.url)), [], {
    execArgv: [],
  });
  // The sink stands in for another machine, so a host that needs the same core has priority.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const ask = askerOf(child);
  let nextPort = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT) * 0.9);
  return {
    async lane() {
      let port = nextPort++;
      while (!(await isFree(port))) port = nextPort++;
      return {
        host: `http://127.0.0.1:${port}`,
        open: async () => void (await ask("open", port)),
        tally: async () => (await ask("tally", port)) ?? { distinct: 0, received: 0 },
      };
    },
    async stop() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

function askerOf(child: ChildProcess): (action: SinkOrder["action"], port: number) => Promise<Tally | null> {
  const waiting = new Map<number, (answer: SinkAnswer) => void>();
  let orders = 0;
  const fail = (error: string) => {
    for (const [id, settle] of waiting) settle({ id, tally: null, error });
  };
  child.on("message", (answer: SinkAnswer) => waiting.get(answer.id)?.(answer));
  child.on("exit", (code, signal) => fail(`the sink ended: ${signal ?? code}`));
  return (action, port) =>
    new Promise((resolve, reject) => {
      const id = orders++;
      waiting.set(id, ({ tally, error }) => {
        waiting.delete(id);
        if (error === null) resolve(tally);
        else reject(new Error(error));
      });
      if (!child.connected) return fail("the sink has ended");
      child.send({ id, action, port } satisfies SinkOrder);
    });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}
