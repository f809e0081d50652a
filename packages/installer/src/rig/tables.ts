/** For tests: tables for the kit, generated from several plans. */
import { readFileSync } from "node:fs";
import {
  type Field,
  generateShell,
  loadPlan,
  type Plan,
  type PlanEvent,
  type PlanSource,
} from "@candor/plan";

const PLAN_FILE = new URL("../../../../plans/appsmith.yaml", import.meta.url);
const appsmith = loadPlan(readFileSync(PLAN_FILE, "utf8"), "plans/appsmith.yaml");

const ABOUT = {
  sensitivity: "technical",
  description: "A field.",
  example: "x",
  since: 1,
  required: false,
  exception: undefined,
  column: false,
  fact: false,
  dimension: false,
  measure: undefined,
  keptWith: [],
} as const;
const TEXT = {
  ...ABOUT,
  type: "string",
  format: "text",
  maxLength: 1024,
  enum: undefined,
  pattern: undefined,
  hash: false,
} as const;

const PORT = { ...ABOUT, type: "integer", minimum: 1, maximum: 65535, buckets: undefined } as const;

/**
 * The Appsmith plan without the fields that were added after its version 2, renumbered: the plan, its events
 * and their fields are all of version 1. The rig's consent records belong to this plan.
 */
const first: Plan = { ...appsmith, version: 1, events: appsmith.events.map(asOfFirst) };

/**
 * The plan at version 3: the installer reports one more field and has one more event, and one of the client's
 * events is new.
 */
const grown: Plan = {
  ...first,
  version: 3,
  changelog: [
    { version: 3, date: "2026-11-24", text: "How long\n  the install's start took." },
    { version: 2, date: "2026-11-24", text: "Nothing for these." },
    { version: 1, date: "2026-11-23", text: "The first plan." },
  ],
  events: first.events.flatMap((event) => {
    if (event.name === "APPLICATIONS_PAGE_LOAD") return [{ ...event, since: 3 }];
    if (event.name !== "Installation Started") return [event];
    const seconds: Field = {
      ...ABOUT,
      type: "integer",
      minimum: 0,
      maximum: 60,
      buckets: undefined,
      since: 3,
    };
    return [
      { ...event, fields: { ...event.fields, seconds } },
      { ...event, name: "Installation Resumed", since: 3 },
    ];
  }),
};

/** Returns the first plan with these fields added to one event, or replacing fields of the same name. */
const withFields = (name: string, fields: Readonly<Record<string, Field>>): Plan => ({
  ...first,
  events: first.events.map((event) =>
    event.name === name ? { ...event, fields: { ...event.fields, ...fields } } : event,
  ),
});

/** A plan with free text, a number and a boolean. One field's name contains a quote and a backslash. */
const odd: Plan = withFields("Installation Started", {
  note: TEXT,
  'a"b\\c': TEXT,
  port: PORT,
  proxied: { ...ABOUT, type: "boolean" },
});

const withInstaller = (plan: Plan, change: object): Plan => ({
  ...plan,
  sources: { ...plan.sources, installer: { ...plan.sources.installer, ...change } as PlanSource },
});

/** The grown plan, in which the installer and the client ask for consent, but not the server. */
const asking: Plan = withInstaller(grown, { consent: "opt-in" });

/** A plan that declares no context for the installer. */
const bare: Plan = withInstaller(first, { context: {} });

/** A plan that declares only the library's name in the installer's context. */
const named: Plan = withInstaller(first, {
  context: { library: { ...ABOUT, type: "object", fields: { name: TEXT } } },
});

const kindsOf = (...kinds: readonly string[]): Plan =>
  withFields("Installation Errors", { error: { ...TEXT, enum: kinds } });

/** A plan whose Installation Errors event also has a number field. */
const oddErrors: Plan = withFields("Installation Errors", { port: PORT });

/** A plan whose heartbeat contains the install's id. */
const linked: Plan = withFields("Instance Active", {
  installId: { ...TEXT, pattern: "[0-9a-f]{32}" },
});

const withSwitches = (disable: Plan["switches"]["disable"]): Plan => ({
  ...first,
  switches: { ...first.switches, disable },
});

/** A plan without the event that contains an e-mail address. */
const mute: Plan = { ...first, events: first.events.filter(({ name }) => name !== "Installation Support") };

function asOfFirst(event: PlanEvent): PlanEvent {
  const early = Object.entries(event.fields).filter(([, { since }]) => since <= 2);
  const fields = early.map(([name, field]) => [name, { ...field, since: 1 }]);
  return { ...event, since: 1, fields: Object.fromEntries(fields) };
}

/** The output of `candor generate sh` for each plan. */
export const tables = {
  first: generateShell(first),
  grown: generateShell(grown),
  odd: generateShell(odd),
  asking: generateShell(asking),
  mute: generateShell(mute),
  bare: generateShell(bare),
  named: generateShell(named),
  /** This table and the next two are named after the kinds of errors that the plan allows. */
  "unknown only": generateShell(kindsOf("port_taken", "unknown")),
  "other only": generateShell(kindsOf("port_taken", "other")),
  "neither kind": generateShell(kindsOf("port_taken")),
  "odd errors": generateShell(oddErrors),
  linked: generateShell(linked),
  /** The product has a disable variable of its own besides the usual one. */
  "two switches": generateShell(withSwitches(["NO_STATS", "APPSMITH_DISABLE_TELEMETRY"])),
} as const;

export type TableName = keyof typeof tables;
export const TABLE_NAMES = Object.keys(tables) as readonly TableName[];

/** Returns the line of a table that defines `candor_plan_disable` for these variables. */
export function disableLineOf(names: Plan["switches"]["disable"]): string {
  return /^candor_plan_disable\(\) .*$/m.exec(generateShell(withSwitches(names)))?.[0] ?? "";
}

/** Returns the hash of a table's plan, as it appears in consent records. */
export function hashOf(table: TableName): string {
  return /^CANDOR_PLAN_HASH='([0-9a-f]{64})'$/m.exec(tables[table])?.[1] ?? "";
}
