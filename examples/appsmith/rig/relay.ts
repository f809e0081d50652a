/** For tests: forwards connections to a port, records when something arrives, and can hold requests back. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Relay {
  readonly port: number;
  readonly connections: () => number;
  /** When connections and bytes arrived from clients, in epoch milliseconds. */
  readonly times: readonly number[];
  /** Accepts connections and bytes, but forwards no bytes to the port until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly close: () => void;
}

export async function startRelay(to: number): Promise<Relay> {
  const times: number[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let gate = Promise.resolve();
  let open = (): void => {};
  const server = createServer((client) => {
    const target = connect(to, "127.0.0.1");
    connections += 1;
    times.push(Date.now());
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.end();
      });
    }
    target.pipe(client);
    let last = Promise.resolve();
    client.on("data", (chunk) => {
      times.push(Date.now());
      last = last.then(() => gate).then(() => void target.write(chunk));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    times,
    pause: () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    resume: () => open(),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
