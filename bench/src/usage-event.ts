/**
 * Makes the usage events of the benchmarks: Appsmith's `execute_ACTION_TRIGGERED` as plans/appsmith.yaml
 * declares it. A collector keeps all of the event, which has about 900 bytes as a client sends it. The values
 * are related as in a real fleet (a user belongs to an instance, a page to an app), because compression in
 * the store depends on that: independent random values would overstate the disk figure, and repeated events
 * would understate it.
 */

export type UsageEvent = {
  readonly type: "track";
  readonly event: string;
  readonly userId: string;
  readonly messageId: string;
  readonly timestamp: string;
  readonly context: { readonly library: { readonly name: string; readonly version: string } };
  readonly integrations: Readonly<Record<string, never>>;
  readonly properties: Readonly<Record<string, string | number | boolean | { readonly name: string }>>;
};

/** Returns a number in [0, 1). */
export type Random = () => number;

type Action = { readonly name: string; readonly plugin: Plugin; readonly datasource: string };
type Page = { readonly id: string; readonly name: string; readonly actions: readonly Action[] };
type App = {
  readonly id: string;
  readonly name: string;
  readonly isExample: boolean;
  readonly pages: readonly Page[];
};
type Instance = { readonly id: string; readonly orgId: string; readonly apps: readonly App[] };
export type User = { readonly userId: string; readonly username: string; readonly instance: Instance };
type Plugin = {
  readonly name: string;
  readonly type: string;
  readonly statusCodes: readonly string[];
  readonly medianMs: number;
};

const INSTANCES = 200;
const USERS = 1000;

const plugins: readonly Plugin[] = [
  { name: "PostgreSQL", type: "DB", statusCodes: ["", "", "", "PE-ARG-5000"], medianMs: 14 },
  {
    name: "REST API",
    type: "API",
    statusCodes: ["200", "200", "201", "404"],
    medianMs: 180,
  },
  { name: "MySQL", type: "DB", statusCodes: [""], medianMs: 11 },
  { name: "MongoDB", type: "DB", statusCodes: ["", "", "PE-STC-5000"], medianMs: 22 },
  { name: "Google Sheets", type: "SAAS", statusCodes: ["200"], medianMs: 640 },
  { name: "Redis", type: "DB", statusCodes: [""], medianMs: 3 },
  { name: "GraphQL", type: "API", statusCodes: ["200", "400"], medianMs: 120 },
  { name: "Amazon S3", type: "DB", statusCodes: [""], medianMs: 95 },
];
const verbs = ["get", "list", "update", "insert", "delete", "search", "export", "sync"];
const nouns = [
  "Customers",
  "Orders",
  "Tickets",
  "Users",
  "Invoices",
  "Products",
  "Refunds",
  "Shipments",
  "Reviews",
];

/** Creates a mulberry32 generator: small, and with the same numbers for a seed on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Returns a function that makes the next usage event, without end. The seed determines who does what.
 * `messageId` and `timestamp` are placeholders of full width (36 and 24 characters), to be overwritten.
 */
export function usageEvents(users: readonly User[], seed: number): () => UsageEvent {
  const random = seededRandom(seed);
  return () => {
    // The square favours low indexes, so that a few users cause most of the events, as in a real fleet.
    const user = pick(users, () => random() ** 2);
    const app = pick(user.instance.apps, random);
    const page = pick(app.pages, random);
    return usageEvent(user, app, page, pick(page.actions, random), random);
  };
}

function usageEvent(user: User, app: App, page: Page, action: Action, random: Random): UsageEvent {
  const statusCode = pick(action.plugin.statusCodes, random);
  const isFailed = /^PE|^4/.test(statusCode);
  return {
    type: "track",
    event: "execute_ACTION_TRIGGERED",
    userId: user.userId,
    messageId: "00000000-0000-4000-a000-000000000000",
    timestamp: "2026-01-01T00:00:00.000Z",
    context: { library: { name: "analytics-java", version: "2.1.1" } },
    integrations: {},
    properties: {
      appId: app.id,
      appMode: random() < 0.3 ? "edit" : "view",
      appName: app.name,
      datasource: { name: action.datasource },
      instanceId: user.instance.id,
      isExampleApp: app.isExample,
      isSuccessfulExecution: !isFailed,
      name: action.name,
      orgId: user.instance.orgId,
      originService: "appsmith-server",
      pageId: page.id,
      pageName: page.name,
      pluginName: action.plugin.name,
      statusCode,
      timeElapsed: elapsedMs(action.plugin.medianMs, random),
      type: action.plugin.type,
      username: user.username,
    },
  };
}

/** A duration with a long tail: mostly near the median, occasionally ten times as long. */
function elapsedMs(medianMs: number, random: Random): number {
  const spread = random() + random() + random() - 1.5;
  return Math.max(1, Math.round(medianMs * Math.exp(spread * 1.6)));
}

/** The users of a fleet of instances, always the same ones. */
export function usageFleet(): readonly User[] {
  const random = seededRandom(226);
  const instances = times(INSTANCES, () => instance(random));
  return times(USERS, () => ({
    userId: hex(64, random),
    username: hex(64, random),
    instance: pick(instances, random),
  }));
}

function instance(random: Random): Instance {
  return {
    id: hex(24, random),
    orgId: hex(24, random),
    apps: times(1 + between(4, random), (index) => ({
      id: hex(24, random),
      name: `${pick(nouns, random)} ${index === 0 ? "admin" : `desk ${index}`}`,
      isExample: random() < 0.05,
      pages: times(1 + between(5, random), (number) => ({
        id: hex(24, random),
        name: `Page${number + 1}`,
        actions: times(1 + between(6, random), () => action(random)),
      })),
    })),
  };
}

function action(random: Random): Action {
  const noun = pick(nouns, random);
  const plugin = pick(plugins, random);
  return { name: `${pick(verbs, random)}${noun}`, plugin, datasource: `${noun} ${plugin.name}` };
}

function hex(digits: number, random: Random): string {
  return times(digits, () => between(16, random).toString(16)).join("");
}

function between(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
