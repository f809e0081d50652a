/**
 * The engine's process: opens the folder and serves it on the socket, until its parent ends or tells it to
 * close.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { createHttpInterface, type HttpInterface } from "./http-interface.ts";
import { type ChildOptions, type CloseCommand, EXIT_OPEN_FAILED, type Listening } from "./protocol.ts";
import { openStore, type Store } from "./store.ts";

/** ClickHouse's error code ABORTED. Once the engine has shut itself down, every query fails with it. */
const ABORTED = 236;

await main(JSON.parse(process.argv[2] ?? "{}") as ChildOptions);

async function main(options: ChildOptions): Promise<void> {
  followParentOnly();
  process.title = "candor-engine";
  // This must run before any thread is started: on Linux, niceness applies to a thread and is inherited by
  // the threads that it starts.
  setPriority(Math.max(getPriority(), options.niceness));
  // Other users can read nothing that this process creates.
  process.umask(0o077);
  mkdirSync(options.dataDir, { recursive: true });

  const store = await openStore(options.dataDir).catch((error: unknown) => {
    console.error(
      `cannot open the store in ${options.dataDir}, which another process may hold: ${String(error)}`,
    );
    process.exit(EXIT_OPEN_FAILED);
  });
  const http = createHttpInterface(store, (error) => void endIfEngineDied(error, store));
  await listen(http, options.socketPath);
  process.on("message", (command: CloseCommand) => void close(http, command.drainMs));
  process.send?.({ kind: "listening" } satisfies Listening);
}

/**
 * Makes this process ignore SIGINT, SIGTERM and SIGHUP, and end with its parent. Ctrl-C in a terminal signals
 * the whole process group, but the parent still has to drain rows into this process. When the parent has
 * ended, this process ends by SIGKILL: a clean exit would wait for native work, and the store survives the
 * kill.
 */
function followParentOnly(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const leave = () => process.kill(process.pid, "SIGKILL");
  process.on("disconnect", leave);
  if (!process.connected) leave();
}

/**
 * Listens on the socket. The folder is already locked, so an existing socket at this path belongs to a
 * process that has ended.
 */
async function listen(http: HttpInterface, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    http.server.once("error", reject);
    http.server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
}

async function endIfEngineDied(error: unknown, store: Store): Promise<void> {
  if ((error as { clickhouseCode?: number }).clickhouseCode !== ABORTED) return;
  try {
    await store.probe();
  } catch (probeError) {
    console.error(`the engine is dead: ${String(probeError)}`);
    process.kill(process.pid, "SIGKILL");
  }
}

/**
 * Lets requests finish for up to `drainMs`, then kills this process, which acknowledged inserts survive. An
 * orderly shutdown of libchdb would be less safe: its destructors race with its merges and cause segmentation
 * faults.
 */
async function close(http: HttpInterface, drainMs: number): Promise<void> {
  http.server.close();
  http.server.closeIdleConnections();
  const deadline = Date.now() + drainMs;
  while (http.inFlight() > 0 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 5));
  process.kill(process.pid, "SIGKILL");
}
