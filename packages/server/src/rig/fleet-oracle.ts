/** For tests: computes what reports must say about a fleet, from its messages alone. */
import type { FleetMessage } from "./fleet.ts";

const DAY_MS = 86_400_000;

export interface Fleet {
  readonly messages: readonly FleetMessage[];
  /** The id of the instance that the maker excludes. */
  readonly excluded: string;
}

/** First and last local day in a zone, `YYYY-MM-DD`, both inclusive. */
export interface Days {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
}

export function heartbeatsOf(messages: readonly FleetMessage[]): FleetMessage[] {
  return messages.filter(({ event }) => event === "Instance Active");
}

const formats = new Map<string, Intl.DateTimeFormat>();
export function localDay(atMs: number, zone: string): string {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
  formats.set(zone, format);
  return format.format(atMs);
}
export const utcDay = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
export const shift = (day: string, days: number): string => utcDay(Date.parse(day) + days * DAY_MS);

export interface Seen {
  readonly id: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly days: ReadonlySet<string>;
  readonly leftOut: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

export const factOf = ({ properties }: FleetMessage, name: string): string => String(properties[name] ?? "");

/** Returns the instances with a heartbeat in a period, as docs/reports.md defines them. */
export function seenIn({ messages, excluded }: Fleet, { from, to, zone }: Days): Seen[] {
  const byId = group(heartbeatsOf(messages), ({ id }) => id);
  const seen: Seen[] = [];
  for (const [id, all] of byId) {
    const within = all.filter(({ atMs }) => {
      const day = localDay(atMs, zone);
      return day >= from && day <= to;
    });
    const last = within.toSorted((a, b) => a.atMs - b.atMs).at(-1);
    if (last === undefined) continue;
    const times = all.map(({ atMs }) => atMs);
    const [firstMs, lastMs] = [Math.min(...times), Math.max(...times)];
    const environment = factOf(last, "environment");
    const isOneDay = utcDay(firstMs) === utcDay(lastMs);
    seen.push({
      id,
      facts: { version: factOf(last, "version"), os: factOf(last, "os"), environment },
      days: new Set(within.map(({ atMs }) => localDay(atMs, zone))),
      leftOut:
        id === excluded
          ? "excluded"
          : !["production", ""].includes(environment)
            ? `environment ${environment}`
            : isOneDay
              ? "seen on one day only"
              : "",
      firstMs,
      lastMs,
    });
  }
  return seen;
}
export function countedIn(fleet: Fleet, days: Days): Seen[] {
  return seenIn(fleet, days).filter(({ leftOut }) => leftOut === "");
}

export function group<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
export const tally = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> =>
  Object.fromEntries([...group(items, keyOf)].map(([key, of]) => [key, of.length]).sort());

export function expectedActive(fleet: Fleet, { to, from, zone }: Days): object {
  const trailing = countedIn(fleet, { from: shift(to, -27), to, zone });
  const since = (first: string): number =>
    trailing.filter(({ days }) => [...days].some((day) => day >= first)).length;
  return {
    days1: since(to),
    days7: since(shift(to, -6)),
    days28: since(shift(to, -27)),
    newInstances: countedIn(fleet, { from, to, zone }).filter(
      ({ firstMs }) => localDay(firstMs, zone) >= from,
    ).length,
  };
}

/** Lists the stored fields of a message as texts: event, path and value. */
function fieldsOf({
  event,
  id,
  browser,
  country,
  properties,
  context,
}: FleetMessage): [string, string, string][] {
  const own = pathsIn(properties, "properties").map(([path, value]) => [event, path, value] as const);
  const common = pathsIn(
    { anonymousId: browser?.anonymousId ?? id, context, ...(country !== "" && { country }) },
    "",
  );
  return [...own, ...common.map(([path, value]) => ["*", path, value] as const)].map((field) => [...field]);
}

function pathsIn(value: unknown, path: string): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, one]) => {
    const part = name.replaceAll(".", "\\.");
    return pathsIn(one, path === "" ? part : `${path}.${part}`);
  });
}

/** Returns, for each event and field, the ids that have each value. */
function idsByValue(messages: readonly FleetMessage[]): Map<string, Map<string, Set<string>>> {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const message of messages) {
    for (const [event, name, value] of fieldsOf(message)) {
      const key = JSON.stringify([event, name]);
      const values = found.get(key) ?? new Map<string, Set<string>>();
      found.set(key, values.set(value, (values.get(value) ?? new Set()).add(message.id)));
    }
  }
  return found;
}

/** Returns what the report on anonymity says of each field, without the entropy, sorted as it sorts. */
export function expectedAnonymity(messages: readonly FleetMessage[]): object[] {
  const fields = [...idsByValue(messages)].map(([key, values]) => {
    const [event = "", name = ""]: string[] = JSON.parse(key);
    const groups = [...values.values()];
    const instances = new Set(groups.flatMap((ids) => [...ids])).size;
    const singledOut = new Set(groups.filter(({ size }) => size === 1).flatMap((ids) => [...ids])).size;
    const smallestGroup = Math.min(...groups.map(({ size }) => size));
    const singledOutShare = singledOut / instances;
    return { event, name, values: groups.length, instances, smallestGroup, singledOut, singledOutShare };
  });
  return fields.sort((a, b) => compare(a.event, b.event) || compare(a.name, b.name));
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Returns the entropy of a field's values, in bits. */
export function bitsOf(messages: readonly FleetMessage[], event: string, name: string): number {
  const values = idsByValue(messages).get(JSON.stringify([event, name]));
  const sizes = [...(values?.values() ?? [])].map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.reduce((sum, size) => sum - (size / total) * Math.log2(size / total), 0);
}
