/** For tests: traces the system calls of a child. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChildOptions, type Ended, makeRigFolder, startChild } from "./child.ts";

/** What a traced process did, by kind. This includes what Node itself does. */
export interface Trace {
  /** The arguments with which each socket was created: `AF_INET, SOCK_STREAM…`. */
  readonly sockets: readonly string[];
  /**
   * The addresses that the process connected to, sent datagrams to, or listened on: `connect 127.0.0.1:7226`.
   */
  readonly peers: readonly string[];
  /** The files below `/etc` that the process looked up. */
  readonly etc: readonly string[];
  /**
   * The files and folders that the process created, opened for writing, truncated, renamed, linked or
   * deleted, except in /dev and /proc: `unlink /path`.
   */
  readonly changes: readonly string[];
}

export interface Traced {
  readonly trace: Trace;
  readonly ended: Ended;
  readonly told: readonly unknown[];
}

/**
 * Runs a child under strace until the child ends.
 * @param options `under` is the command that strace runs under
 */
export async function traceChild(options: ChildOptions): Promise<Traced> {
  const output = join(makeRigFolder(), "strace");
  const strace = ["strace", "-f", "-qq", "-s", "512", "-e", "trace=%network,%file,close", "-o", output];
  const child = startChild({ ...options, under: [...(options.under ?? []), ...strace] });
  const ended = await child.ended;
  return { trace: readTrace(readFileSync(output, "utf8")), ended, told: child.told };
}

/**
 * Parses strace's output. If another thread runs during a call, strace splits the call into two lines. Only
 * the first line, which has the arguments, is counted.
 */
function readTrace(text: string): Trace {
  const calls = text.split("\n").flatMap((line) => {
    const [, name, args] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    return name === undefined || args === undefined ? [] : [{ name, args }];
  });
  const pick = (names: RegExp, read: (args: string, name: string) => string | undefined): string[] =>
    calls.flatMap(({ name, args }) => (names.test(name) ? (read(args, name) ?? []) : []));
  return {
    sockets: pick(/^(socket|socketpair)$/, (args) => args.split(")")[0]),
    peers: pick(/^(connect|bind|sendto|sendmsg|sendmmsg)$/, toPeer),
    etc: pick(
      /^(open|openat|stat|newfstatat|access|readlink)$/,
      (args) => /"(\/etc\/[^"]*)"/.exec(args)?.[1],
    ),
    changes: pick(/^(open|openat|creat|mkdir|rename|link|symlink|unlink|rmdir|truncate)/, toChange),
  };
}

/** Returns undefined for a call without an address, such as a send on a connected socket. */
function toPeer(args: string, name: string): string | undefined {
  const [, port, address] =
    /sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"/.exec(args) ?? [];
  if (port !== undefined) return `${name} ${address}:${port}`;
  const [, path] = /sun_path=@?"([^"]*)"/.exec(args) ?? [];
  return path === undefined ? undefined : `${name} ${path}`;
}

function toChange(args: string, name: string): string | undefined {
  const paths = [...args.matchAll(/"([^"]*)"/g)].map(([, path]) => path);
  const [first = ""] = paths;
  const isOpen = name.startsWith("open");
  if (isOpen && !/O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/.test(args)) return undefined;
  // The file did not exist, so nothing was deleted.
  if (/^(unlink|rmdir)/.test(name) && args.endsWith("(No such file or directory)")) return undefined;
  if (/^\/(dev|proc)\//.test(first)) return undefined;
  return `${name} ${paths.join(" ")}`;
}
