/** Resolves a host's name: hosts file, cache, name servers, and finally the operating system. */
import type { Resolver } from "node:dns/promises";
import { createReadStream } from "node:fs";
import { isIP } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { codeOf } from "@candor/envelope/unknown-value";
import { FaultError } from "./faults.ts";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Where names are looked up if neither the hosts file nor the cache has them. */
export interface NameService {
  /** A cancellable resolver, created for each look-up, so that changes of resolv.conf take effect. */
  readonly createResolver: () => Resolver;
  /** `getaddrinfo`: supports search domains and mDNS, but cannot be cancelled. */
  readonly lookupBySystem: (name: string) => Promise<readonly Address[]>;
}

export interface Names {
  /**
   * At least one address. IPv4 comes first, because broken IPv6 is more common than broken IPv4; only the
   * addresses from `lookupBySystem` keep the system's order.
   * @throws FaultError `dns`, or the signal's reason
   */
  resolve(name: string, signal: AbortSignal): Promise<readonly Address[]>;
  /** Forgets the cached addresses of a name, because none of them could be reached. */
  forget(name: string): void;
}

export interface NamesOptions {
  readonly hostsFile: string;
  readonly service: NameService;
  /** A clock in milliseconds that never jumps. */
  readonly nowMs: () => number;
}

/** Loading node:dns reads resolv.conf, so the module is loaded only when something is sent. */
const dns = () => process.getBuiltinModule("node:dns/promises");

export const systemNameService: NameService = {
  createResolver: () => new (dns().Resolver)({ timeout: 1500, tries: 2 }),
  lookupBySystem: async (name) =>
    (await dns().lookup(name, { all: true })).map(({ address, family }) => ({
      address,
      family: family === 6 ? 6 : 4,
    })),
};

const LOOPBACK: readonly Address[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];
const FRESH_MS = 5 * 60_000;
const STALE_MS = 24 * 60 * 60_000;
/** How long the name servers may take if there is an old answer to fall back on. */
const STALE_PATIENCE_MS = 1000;
/** How long the answer for one address family is awaited once the answer for the other has arrived. */
const FAMILY_GRACE_MS = 200;
/**
 * The system's resolver (getaddrinfo) is asked only if the negative answer came within this time. After a
 * slower one it would probably hang, and it cannot be cancelled.
 */
const FAST_ANSWER_MS = 1000;
const MAX_REMEMBERED = 16;
/** A hosts file without line breaks must not be held in memory. */
const MAX_LINE_CHARS = 65_536;
/** Codes with which a name server says that there is no such name, or no address for it. */
const DEFINITE = new Set(["ENOTFOUND", "ENODATA"]);

/** The outcome of a look-up: addresses, or whether it is certain that there are none. */
type Found = { addresses: readonly Address[] } | { isCertain: boolean };

export function createNames({ hostsFile, service, nowMs }: NamesOptions): Names {
  const remembered = new Map<string, { addresses: readonly Address[]; atMs: number }>();

  const remember = (name: string, addresses: readonly Address[]): void => {
    remembered.set(name, { addresses, atMs: nowMs() });
    for (const oldest of remembered.keys()) if (remembered.size > MAX_REMEMBERED) remembered.delete(oldest);
  };

  const resolve = async (name: string, signal: AbortSignal): Promise<readonly Address[]> => {
    const known = addressesWithoutLookup(name);
    if (known !== undefined) return known;
    const listed = await readHostsFile(hostsFile, name.replace(/\.$/, ""));
    signal.throwIfAborted();
    if (listed.length > 0) return routable(listed);
    const memory = remembered.get(name);
    const ageMs = memory === undefined ? Number.POSITIVE_INFINITY : nowMs() - memory.atMs;
    if (memory !== undefined && ageMs < FRESH_MS) return memory.addresses;
    const stale = memory !== undefined && ageMs < STALE_MS ? memory.addresses : undefined;
    const found = await lookUp(name, { service, nowMs, signal, hasStale: stale !== undefined });
    signal.throwIfAborted();
    if ("addresses" in found) {
      remembered.delete(name);
      const addresses = routable(found.addresses);
      remember(name, addresses);
      return addresses;
    }
    // A certain negative answer may be an operator's block, which an old answer must not circumvent.
    if (stale !== undefined && !found.isCertain) return stale;
    remembered.delete(name);
    throw new FaultError("dns");
  };
  return { resolve, forget: (name) => remembered.delete(name) };
}

function addressesWithoutLookup(name: string): readonly Address[] | undefined {
  const family = isIP(name);
  if (family === 4 || family === 6) return [{ address: name, family }];
  return /(?:^|\.)localhost\.?$/.test(name) ? LOOPBACK : undefined;
}

/**
 * Removes 0.0.0.0 and ::, with which DNS and hosts files block a name: connecting to them would reach this
 * machine itself.
 * @throws FaultError `dns` if no address is left
 */
function routable(addresses: readonly Address[]): readonly Address[] {
  const kept = addresses.filter(({ address }) => address !== "0.0.0.0" && address !== "::");
  if (kept.length === 0) throw new FaultError("dns");
  return kept;
}

interface LookUp {
  readonly service: NameService;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly hasStale: boolean;
}

async function lookUp(name: string, { service, nowMs, signal, hasStale }: LookUp): Promise<Found> {
  const startedMs = nowMs();
  const answers = await query(name, service.createResolver(), signal, hasStale);
  const addresses = answers.flatMap((answer) => answer.addresses);
  if (addresses.length > 0) return { addresses };
  const isCertain = answers.every(({ code }) => DEFINITE.has(code));
  const isPatient = answers.every(({ code }) => code !== "ETIMEOUT" && code !== "ECANCELLED");
  const mayAskSystem = isPatient && nowMs() - startedMs < FAST_ANSWER_MS && !name.endsWith(".");
  if (!mayAskSystem) return { isCertain };
  return Promise.race([askSystem(name, service), aborted(signal)]);
}

interface FamilyAnswer {
  readonly addresses: readonly Address[];
  /** The error code; empty if there are addresses. */
  readonly code: string;
}

/**
 * Queries both address families at once; never rejects. Ends early if the signal is aborted,
 * `FAMILY_GRACE_MS` after one family's addresses have arrived, or, if there is an old answer, after
 * `STALE_PATIENCE_MS`.
 */
async function query(
  name: string,
  resolver: Resolver,
  signal: AbortSignal,
  hasStale: boolean,
): Promise<readonly FamilyAnswer[]> {
  const cancel = (): void => resolver.cancel();
  const timers = hasStale ? [setTimeout(cancel, STALE_PATIENCE_MS).unref()] : [];
  const settle = async (family: 4 | 6, asked: Promise<readonly string[]>): Promise<FamilyAnswer> => {
    try {
      const addresses = (await asked).map((address) => ({ address, family }));
      timers.push(setTimeout(cancel, FAMILY_GRACE_MS).unref());
      return { addresses, code: "" };
    } catch (error) {
      return { addresses: [], code: codeOf(error) ?? "" };
    }
  };
  signal.addEventListener("abort", cancel, { once: true });
  const answers = await Promise.all([settle(4, resolver.resolve4(name)), settle(6, resolver.resolve6(name))]);
  signal.removeEventListener("abort", cancel);
  for (const timer of timers) clearTimeout(timer);
  return answers;
}

async function askSystem(name: string, service: NameService): Promise<Found> {
  try {
    return { addresses: await service.lookupBySystem(name) };
  } catch (error) {
    return { isCertain: DEFINITE.has(codeOf(error) ?? "") };
  }
}

/** Resolves when the signal is aborted. getaddrinfo cannot be cancelled, but nobody has to wait for it. */
function aborted(signal: AbortSignal): Promise<Found> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ isCertain: false });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/** Where the operating system keeps its hosts file. */
export function hostsFileOf(environment: Readonly<Record<string, string | undefined>>): string {
  if (process.platform !== "win32") return "/etc/hosts";
  return `${environment.SystemRoot ?? "C:\\Windows"}\\System32\\drivers\\etc\\hosts`;
}

/**
 * Reads the addresses that a hosts file lists for a name, in the file's order, IPv4 first; none if the file
 * cannot be read. Block lists make hosts files megabytes long, so the file is read in chunks, and only chunks
 * that contain the name are parsed.
 * @param name in lower case, without a trailing dot
 */
export async function readHostsFile(path: string, name: string): Promise<readonly Address[]> {
  const found: Address[] = [];
  let unfinished = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "latin1" })) {
      const text = unfinished + String(chunk).toLowerCase();
      const end = text.lastIndexOf("\n") + 1;
      unfinished = text.slice(end).slice(0, MAX_LINE_CHARS);
      collect(text.slice(0, end), name, found);
    }
  } catch {
    // A missing file has no entries, as for the system's own resolver.
  }
  collect(unfinished, name, found);
  return [...found.filter(({ family }) => family === 4), ...found.filter(({ family }) => family === 6)];
}

function collect(text: string, name: string, found: Address[]): void {
  if (!text.includes(name)) return;
  for (const line of text.split("\n")) {
    const [address = "", ...names] = (line.split("#", 1)[0] ?? "").trim().split(/\s+/);
    if (!names.some((listed) => listed === name || listed === `${name}.`)) continue;
    const family = isIP(address);
    if (family === 4 || family === 6) found.push({ address, family });
  }
}
