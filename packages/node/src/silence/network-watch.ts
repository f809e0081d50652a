import { createHook } from "node:async_hooks";
import dgram from "node:dgram";
import { isIPv6 } from "node:net";
import { isRecord } from "../json.ts";
import type { Allowance } from "./allowance.ts";
import { findCaller } from "./caller.ts";
import type { HappeningKind, Report } from "./happening.ts";
import type { Patches } from "./patches.ts";

/** Node's requests to the system, which every API ends in, and what each holds. */
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

/** A connection is made a turn after its socket was: the line that made the socket is the one to tell. */
const SOCKETS: ReadonlySet<string> = new Set(["TCPWRAP", "PIPEWRAP"]);

type Request = { readonly [name: string]: unknown };
type Happened = readonly [kind: HappeningKind, target: string];

/**
 * Reports connections, queries and datagrams. Connections that are open already are not looked at.
 * @returns what ends it
 */
export function watchNetwork(report: Report, patches: Patches, allowance: Allowance): () => void {
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
    if (kind === "dns") noteAddresses(request, target, allowance);
    if (!isThisMachine(kind, target)) report(kind, target, at);
  };
  // A datagram that the system takes at once is no request.
  patches.before(dgram.Socket.prototype, "send", (socket, args, at) => {
    report("udp", toDatagramTarget(socket, args), at);
  });
  const hook = createHook({ init }).enable();
  return () => void hook.disable();
}

function noteMaker(makers: Map<number, string>, id: number, at: string | undefined): void {
  if (at !== undefined) makers.set(id, at);
}

/** The name of this machine itself asks nobody (RFC 6761, section 6.3). */
function isThisMachine(kind: HappeningKind, target: string): boolean {
  return kind === "dns" && target.toLowerCase() === "localhost";
}

/** Connecting to a name that is allowed shows its address only. */
function noteAddresses(request: Request, name: string, allowance: Allowance): void {
  const { oncomplete } = request;
  if (typeof oncomplete !== "function") return;
  Reflect.set(request, "oncomplete", function (this: unknown, ...args: unknown[]): unknown {
    const [, found] = args;
    if (Array.isArray(found)) allowance.resolved(name, found.map(String));
    return Reflect.apply(oncomplete, this, args);
  });
}

/** `send(message, [offset, length], [port], [address], [callback])`; a connected socket knows where to. */
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
