/** For tests: generates the messages of a random fleet of instances. */
import type { JsonObject } from "@candor/envelope";
import { addBrowsers, contextOf, type FleetBrowser } from "./fleet-browsers.ts";
import { rowLine } from "./row-line.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface FleetMessage {
  readonly messageId: string;
  readonly source: "installer" | "server" | "client";
  readonly event: string;
  /** The instance's id, or the installer's id for the install. "" for a client's message that does not tell it. */
  readonly id: string;
  /** Of the client's messages only. */
  readonly browser?: FleetBrowser;
  /** A pseudonym; two instances may have the same. */
  readonly userId?: string;
  readonly atMs: number;
  readonly receivedMs: number;
  readonly country: string;
  readonly properties: JsonObject;
  readonly context: JsonObject;
}

const VERSIONS = ["1.9.2", "1.10.0", "1.10.1-rc.1", "1.11.0", ""] as const;
const ENVIRONMENTS = ["production", "production", "production", "", "development", "ci"] as const;
const SYSTEMS = ["linux", "linux", "darwin", ""] as const;
const PLUGINS = ["PostgreSQL", "REST API", "Slack"] as const;
const PEOPLE = ["ada", "bo", "cy", ""] as const;
const LOADS = ["APPLICATIONS_PAGE_LOAD", "EDITOR_PAGE_LOAD", "VIEWER_PAGE_LOAD"] as const;
const ERRORS = ["port_taken", "docker_missing"] as const;
export interface FleetSize {
  readonly instances: number;
  readonly installs: number;
  readonly days: number;
  readonly untilMs: number;
}

/**
 * Makes a fleet over the `days` days before `untilMs`. Some messages arrive days late, some have times ahead
 * of the collector's clock, some instances live for hours only, and some do not report all facts. Some
 * events of an instance have the same time, and its login may be earlier than its first heartbeat. An
 * instance's facts change only between days in UTC. Browsers of half of the instances send messages too, and
 * some instances came from an install.
 */
export function makeFleet(random: () => number, size: FleetSize): FleetMessage[] {
  const dice = createDice(random);
  const messages: FleetMessage[] = [];
  const add: Add = (message) => {
    const lateMs = random() < 0.1 ? random() * 5 * DAY_MS : random() < 0.05 ? -6 * HOUR_MS : random() * 1000;
    const receivedMs = Math.floor(message.atMs + lateMs);
    const context = message.context ?? contextOf(message.browser);
    messages.push({ ...message, context, messageId: `m-${dice.hex(24)}`, receivedMs });
  };
  for (let n = 0; n < size.instances; n++) addInstance(dice, size, add);
  for (let n = 0; n < size.installs; n++) addInstall(dice, size, add);
  for (const own of lives(messages)) {
    if (random() < 0.5) addBrowsers(dice, own, add);
    if (random() < 0.4) linkInstall(dice, own, messages, add);
  }
  return messages;
}

/** The heartbeats of each instance, oldest first. */
function lives(messages: readonly FleetMessage[]): readonly (readonly FleetMessage[])[] {
  const byId = new Map<string, FleetMessage[]>();
  for (const message of messages) {
    if (message.event === "Instance Active") byId.set(message.id, [...(byId.get(message.id) ?? []), message]);
  }
  return [...byId.values()];
}

/** `context` is that of the browser if there is one, else {}. */
export type Add = (
  message: Omit<FleetMessage, "messageId" | "receivedMs" | "context"> & { readonly context?: JsonObject },
) => void;

export interface Dice {
  readonly random: () => number;
  pick<Value>(values: readonly Value[]): Value;
  hex(length: number): string;
}

function createDice(random: () => number): Dice {
  return {
    random,
    pick: (values) => values[Math.floor(random() * values.length)] as (typeof values)[number],
    hex: (length) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join(""),
  };
}

function addInstance({ random, pick, hex }: Dice, { days, untilMs }: FleetSize, add: Add): void {
  const id = `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  const [environment, os, country] = [pick(ENVIRONMENTS), pick(SYSTEMS), pick(["DE", "IN", ""])];
  const firstMs = untilMs - days * DAY_MS * (1 - random());
  const lifeMs = random() < 0.2 ? random() * 4 * HOUR_MS : random() * days * DAY_MS;
  const endMs = Math.min(firstMs + lifeMs, untilMs);
  const loginMs = Math.min(untilMs, Math.floor(firstMs + (random() * 12 - 3) * DAY_MS));
  const login = { source: "client", event: "LOGIN_PAGE_LOAD", id, country, atMs: loginMs } as const;
  add({ ...login, properties: { instanceId: id } });
  let version = Math.floor(random() * 3);
  let day = -1;
  for (let ms = firstMs; ms < endMs; ms += 6 * HOUR_MS * (0.5 + random())) {
    const today = Math.floor(ms / DAY_MS);
    if (today !== day && day !== -1 && random() < 0.08) version = Math.min(version + 1, VERSIONS.length - 1);
    day = today;
    const atMs = Math.floor(ms);
    const facts = { version: VERSIONS[version] ?? "", os, environment };
    const told = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ""));
    const context = {
      library: { name: "candor", version: `1.0.${Math.floor(Number.parseInt(id[0] ?? "0", 16) / 6)}` },
    };
    const common = { source: "server", id, country, context } as const;
    const machine = machineOf(id);
    add({ ...common, event: "Instance Active", atMs, properties: { instanceId: id, ...told, machine } });
    for (let uses = Math.floor(random() * 4); uses > 0; uses--) {
      const properties = {
        instanceId: id,
        pluginName: pick(PLUGINS),
        isSuccessfulExecution: random() < 0.9,
        ...(random() < 0.1 ? {} : { timeElapsed: Math.floor(2 ** (random() * 16)) }),
        ...(random() < 0.2 ? {} : { appMode: pick(["edit", "view"]) }),
        ...(random() < 0.5 ? {} : { datasource: { name: pick(["Sample", "it's"]) } }),
        ...(random() < 0.5 ? {} : { tags: pick([[], ["a"], ["b", "c"], ["c", "it's"]]) }),
        ...(facts.version === "" ? {} : { version: facts.version }),
      };
      const userId = pick(PEOPLE);
      add({ ...common, event: "execute_ACTION_TRIGGERED", userId, atMs: atMs + uses, properties });
    }
    for (let loads = Math.floor(random() * 4); loads > 0; loads--) {
      const client = {
        ...common,
        source: "client",
        properties: { instanceId: id },
        userId: pick(PEOPLE),
      } as const;
      add({ ...client, event: pick(LOADS), atMs: atMs + Math.floor(random() * 4) * 60_000 });
    }
  }
}

/** Makes a property with objects and lists in it, which depends on the instance's id alone. */
function machineOf(id: string): JsonObject {
  const n = Number.parseInt(id.slice(0, 4), 16);
  return {
    cpus: 2 ** (n % 5),
    disk: { type: n % 3 === 0 ? "ssd" : "disk", "size.gb": n, parts: [{ name: "a", size: n % 7 }, n % 2] },
    none: {},
  };
}

function addInstall({ random, pick, hex }: Dice, { days, untilMs }: FleetSize, add: Add): void {
  const properties = { os: pick(["ubuntu", "debian"]), version: "1.11.0" };
  const install = { source: "installer", id: hex(32), country: "", context: {}, properties } as const;
  const atMs = Math.floor(untilMs - days * DAY_MS * (1 - random()));
  add({ ...install, event: "Installation Started", atMs });
  const end = random();
  const endMs = atMs + Math.floor(random() * 600_000);
  if (end < 0.6) add({ ...install, event: "Installation Success", atMs: endMs });
  else if (end < 0.85) {
    const failed = { ...properties, error: pick(ERRORS) };
    add({ ...install, event: "Installation Errors", atMs: endMs, properties: failed });
  }
}

/**
 * Adds an install before an instance, whose id the instance's first heartbeat then names. Not all report success,
 * and some only after that heartbeat.
 */
function linkInstall(
  { random, pick, hex }: Dice,
  [first]: readonly FleetMessage[],
  messages: FleetMessage[],
  add: Add,
): void {
  if (first === undefined) return;
  const id = hex(32);
  const install = {
    source: "installer",
    id,
    country: "",
    properties: { os: "ubuntu", version: "1.11.0" },
  } as const;
  const startedMs = first.atMs - Math.floor(random() * 3_600_000);
  const end = pick(["Installation Success", "Installation Success", "Installation Errors", undefined]);
  add({ ...install, event: "Installation Started", atMs: startedMs });
  const properties = {
    ...install.properties,
    ...(end === "Installation Errors" ? { error: pick(ERRORS) } : {}),
  };
  if (end !== undefined)
    add({ ...install, event: end, atMs: startedMs + Math.floor(random() * 2_400_000), properties });
  messages[messages.indexOf(first)] = { ...first, properties: { ...first.properties, installId: id } };
}

export function toFleetLine(message: FleetMessage): string {
  const {
    source,
    event,
    messageId,
    id,
    userId = "",
    browser,
    atMs,
    receivedMs,
    country,
    properties,
    context,
  } = message;
  const { anonymousId = id } = browser ?? {};
  return rowLine({
    source,
    event,
    messageId,
    userId,
    anonymousId,
    timestamp: timeOf(atMs),
    receivedAt: timeOf(receivedMs),
    country,
    envelope: JSON.stringify({ messageId, event, anonymousId, properties, context }),
  });
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1);
}
