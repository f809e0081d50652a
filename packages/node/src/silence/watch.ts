/**
 * Watches what this process does to networks and files, and which child processes and worker threads it
 * starts.
 */
import { createHook } from "node:async_hooks";
import childProcess, { ChildProcess } from "node:child_process";
import dgram from "node:dgram";
import fs, { constants, fstatSync, lstatSync, readlinkSync } from "node:fs";
import { isIPv6 } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isUint8Array } from "node:util/types";
import { isRecord } from "@candor/envelope/unknown-value";
import { createPatches, findCaller, type Patches } from "./patches.ts";

/**
 * The kinds of action that are reported. A silent product takes none of them. `connect`: a TCP connection,
 * also for TLS and HTTP; `pipe`: a unix socket or named pipe; `udp`: a datagram; `dns`: a lookup of a name
 * (except `localhost`) or address; `write`: a file or folder created or changed; `delete`: a file or folder
 * deleted; `process`: a child process; `thread`: the start of a worker thread, whose own actions cannot be
 * watched.
 */
export type HappeningKind = "connect" | "pipe" | "udp" | "dns" | "write" | "delete" | "process" | "thread";

/** Called for each thing that happens. @param at returns the line that caused it */
export type Report = (kind: HappeningKind, target: string, at: () => string | undefined) => void;

export interface Watch {
  readonly report: Report;
  /** Called with the addresses to which a name resolved. */
  readonly onResolved: (name: string, addresses: readonly string[]) => void;
}

type Watched = Watch & { readonly patches: Patches };

/** Watches the whole process. @returns a cancel function, which restores everything */
export function watchEverything(watch: Watch): () => void {
  const patches = createPatches();
  const watched = { ...watch, patches };
  watchFiles(watched);
  watchProcesses(watched);
  const stopNetwork = watchNetwork(watched);
  patches.publish();
  return () => {
    stopNetwork();
    patches.restore();
  };
}

/**
 * Node's resources that stand for a connection, a lookup or a worker thread, by their async_hooks type, each
 * with a function that reads the kind of action and its target. Node's network APIs create these, except for
 * sending a datagram.
 */
const REQUESTS: ReadonlyMap<string, (request: Request) => Happened> = new Map<
  string,
  (request: Request) => Happened
>([
  ["TCPCONNECTWRAP", ({ address, port }) => ["connect", toTarget(address, port)]],
  ["PIPECONNECTWRAP", ({ address }) => ["pipe", String(address)]],
  ["GETADDRINFOREQWRAP", ({ hostname }) => ["dns", String(hostname)]],
  ["GETNAMEINFOREQWRAP", ({ hostname }) => ["dns", String(hostname)]],
  ["QUERYWRAP", ({ hostname }) => ["dns", String(hostname)]],
  ["WORKER", () => ["thread", "worker"]],
]);

/**
 * Resources for which the line of code that made them is remembered. Node often connects a socket only after
 * that code has returned.
 */
const SOCKETS: ReadonlySet<string> = new Set(["TCPWRAP", "PIPEWRAP"]);

type Request = { readonly [name: string]: unknown };
type Happened = readonly [kind: HappeningKind, target: string];

/**
 * Reports connections, datagrams, lookups (except of `localhost`) and the start of worker threads.
 * Connections that are already open are not watched.
 * @returns a cancel function
 */
function watchNetwork({ report, onResolved, patches }: Watched): () => void {
  const makers = new Map<number, string>();
  const init = (id: number, type: string, trigger: number, resource: object): void => {
    const read = REQUESTS.get(type);
    if (read === undefined && !SOCKETS.has(type)) return;
    try {
      const at = (): string | undefined => findCaller(init) ?? makers.get(trigger);
      if (read === undefined) noteMaker(makers, id, at());
      else if (isRecord(resource)) tell(read(resource), resource, at);
    } catch {
      // An error in a hook would end the process.
    }
  };
  const tell = ([kind, target]: Happened, request: Request, at: () => string | undefined): void => {
    if (kind === "dns") noteAddresses(request, target, onResolved);
    if (!isThisMachine(kind, target)) report(kind, target, at);
  };
  // If the operating system accepts a datagram immediately, there is no request, so `send` is watched
  // instead.
  patches.before(dgram.Socket.prototype, "send", (socket, args, at) => {
    report("udp", toDatagramTarget(socket, args), at);
  });
  const hook = createHook({ init }).enable();
  return () => void hook.disable();
}

function noteMaker(makers: Map<number, string>, id: number, at: string | undefined): void {
  if (at !== undefined) makers.set(id, at);
}

/** Whether this is a lookup of `localhost`, which contacts no name server (RFC 6761, section 6.3). */
function isThisMachine(kind: HappeningKind, target: string): boolean {
  return kind === "dns" && target.toLowerCase() === "localhost";
}

/**
 * Reports the addresses that a lookup returns, because a connection to an allowed name shows only its
 * address.
 */
function noteAddresses(request: Request, name: string, onResolved: Watch["onResolved"]): void {
  const { oncomplete } = request;
  if (typeof oncomplete !== "function") return;
  Reflect.set(request, "oncomplete", function (this: unknown, ...args: unknown[]): unknown {
    const [, found] = args;
    if (Array.isArray(found)) onResolved(name, found.map(String));
    return Reflect.apply(oncomplete, this, args);
  });
}

/**
 * Reads the target of `send(message, [offset, length], [port], [address], [callback])`. A connected socket
 * has its target already.
 */
function toDatagramTarget(socket: unknown, args: readonly unknown[]): string {
  const connected = socket instanceof dgram.Socket ? remoteOf(socket) : undefined;
  if (connected !== undefined) return toTarget(connected.address, connected.port);
  const isPart = typeof args[2] === "number";
  const [port, address] = isPart ? args.slice(3, 5) : args.slice(1, 3);
  return toTarget(typeof address === "string" ? address : "localhost", port);
}

function remoteOf(socket: dgram.Socket): { readonly address: string; readonly port: number } | undefined {
  try {
    return socket.remoteAddress();
  } catch {
    return undefined;
  }
}

function toTarget(address: unknown, port: unknown): string {
  const host = String(address);
  return `${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;
}

/** The functions that change the file at a path, each with the position of the path among its arguments. */
const WRITERS: readonly (readonly [name: string, place: number])[] = [
  ["appendFile", 0],
  ["chmod", 0],
  ["chown", 0],
  ["copyFile", 1],
  ["cp", 1],
  ["lchmod", 0],
  ["lchown", 0],
  ["link", 1],
  ["lutimes", 0],
  ["mkdtemp", 0],
  ["rename", 1],
  ["symlink", 1],
  ["truncate", 0],
  ["utimes", 0],
  ["writeFile", 0],
];
const DELETERS = ["rename", "rm", "rmdir", "unlink"];
/** These functions take a descriptor or a file handle instead of a path. */
const DESCRIPTOR_WRITERS = ["fchmod", "fchown", "ftruncate", "futimes", "write", "writev"];
const WRITE_FLAGS =
  constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
const LAST_STANDARD_STREAM = 2;

/**
 * Reports files and folders that are created, changed or deleted with node:fs, through callbacks, synchronous
 * calls, promises and streams. Deleting a file that does not exist, or creating a folder that exists, is not
 * a change.
 */
function watchFiles({ report, patches }: Watched): void {
  const watch = (
    name: string,
    look: (args: readonly unknown[], at: () => string | undefined) => void,
  ): void => {
    patches.before(fs, name, (_self, args, at) => look(args, at));
    patches.before(fs, `${name}Sync`, (_self, args, at) => look(args, at));
    patches.before(fs.promises, name, (_self, args, at) => look(args, at));
  };
  for (const [name, place] of WRITERS) {
    watch(name, (args, at) => {
      const path = toPath(args[place]);
      if (path !== undefined) report("write", path, at);
    });
  }
  for (const name of DELETERS) {
    watch(name, ([given], at) => {
      const path = toPath(given);
      if (path !== undefined && isThere(path)) report("delete", path, at);
    });
  }
  for (const name of DESCRIPTOR_WRITERS) {
    watch(name, ([given], at) => {
      const path = toPath(given);
      if (path !== undefined) report("write", path, at);
    });
  }
  watch("mkdir", ([given], at) => {
    const path = toPath(given);
    if (path !== undefined && !isThere(path)) report("write", path, at);
  });
  watch("open", ([given, flags], at) => {
    const path = toPath(given);
    if (path !== undefined && isForWriting(flags)) report("write", path, at);
  });
}

/**
 * Whether flags open a file for writing. `r` and `rs` are for reading, and so are omitted flags, where the
 * argument is a callback or a mode.
 */
function isForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & WRITE_FLAGS) !== 0;
  return typeof flags === "string" && flags !== "r" && flags !== "rs" && flags !== "sr";
}

/**
 * The absolute path that an argument of node:fs refers to: a path, URL, descriptor or file handle. Undefined
 * if it is not a file.
 */
function toPath(given: unknown): string | undefined {
  if (typeof given === "number") return toPathOfDescriptor(given);
  if (typeof given === "string") return resolve(given);
  if (isUint8Array(given)) return resolve(Buffer.from(given).toString());
  if (typeof given === "object" && given !== null && "href" in given) return fileURLToPath(String(given));
  const isHandle = typeof given === "object" && given !== null && "fd" in given;
  return isHandle && typeof given.fd === "number" ? toPathOfDescriptor(given.fd) : undefined;
}

/**
 * The path of an open file. Only Linux knows it; on other systems the opening was reported, unless it
 * happened before the watch.
 */
function toPathOfDescriptor(fd: number): string | undefined {
  if (fd <= LAST_STANDARD_STREAM || !fstatSync(fd).isFile()) return undefined;
  return readlinkSync(`/proc/self/fd/${fd}`);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Reports child processes, whose own actions cannot be seen from this process. */
function watchProcesses({ report, patches }: Watched): void {
  // spawn, exec, execFile and fork all call this method, which Node's types do not declare.
  patches.before(ChildProcess.prototype, "spawn", (_self, [options], at) => {
    if (isRecord(options)) report("process", String(options.file), at);
  });
  for (const name of ["spawnSync", "execFileSync", "execSync"]) {
    patches.before(childProcess, name, (_self, [command], at) => {
      report("process", String(command), at);
    });
  }
}
