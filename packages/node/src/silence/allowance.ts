import { isAbsolute, sep } from "node:path";
import type { HappeningKind } from "./happening.ts";

/** What a test allows. */
export interface Allowance {
  readonly allows: (kind: HappeningKind, target: string) => boolean;
  /** Notes the addresses that a name has: who may look it up may connect to them. */
  readonly resolved: (name: string, addresses: readonly string[]) => void;
}

/**
 * @param entries `127.0.0.1:5432`, `[::1]:5432`, `db.internal`, `db.internal:5432`, the path of a file or folder, or what
 * else an error says of something that happened, such as `git`
 */
export function createAllowance(entries: readonly string[]): Allowance {
  const paths = entries.filter((entry) => isAbsolute(entry));
  const places = entries.filter((entry) => !isAbsolute(entry)).map(toPlace);
  const namesOf = new Map<string, Set<string>>();
  const mayReach = (target: string): boolean => {
    const { host, port } = toPlace(target);
    const names = [host, ...(namesOf.get(host) ?? [])];
    return places.some(
      (place) => names.includes(place.host) && (place.port === undefined || place.port === port),
    );
  };
  return {
    allows: (kind, target) => {
      if (entries.includes(target)) return true;
      if (isAbsolute(target)) return paths.some((path) => isWithin(target, path));
      if (kind === "dns") return places.some(({ host }) => host === toHost(target));
      return (kind === "connect" || kind === "udp") && mayReach(target);
    },
    resolved: (name, addresses) => {
      for (const address of addresses) {
        const names = namesOf.get(address) ?? new Set();
        namesOf.set(address, names.add(toHost(name)));
      }
    },
  };
}

interface Place {
  readonly host: string;
  /** Undefined: any. */
  readonly port: string | undefined;
}

/** A bare IPv6 address has several colons, and no port. */
function toPlace(text: string): Place {
  const [, bracketed, bare, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return { host: toHost(bracketed ?? bare ?? text), port };
}

function toHost(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function isWithin(path: string, prefix: string): boolean {
  const folder = prefix.endsWith(sep) ? prefix : `${prefix}${sep}`;
  return path === prefix || path.startsWith(folder);
}
