import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Field, Plan, PlanEvent } from "../plan.ts";
import { REFERENCE_PLAN as plan } from "../rig/reference-plan.ts";
import { generateTypeScript } from "./typescript.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

const ABOUT = {
  sensitivity: "technical",
  description: "A field.",
  example: 1,
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
  type: "string",
  format: "text",
  maxLength: 20,
  enum: undefined,
  pattern: undefined,
  hash: false,
} as const;

function eventOf(event: Pick<PlanEvent, "type" | "name" | "fields">): PlanEvent {
  const about = {
    since: 1,
    why: "To know.",
    owner: "Us",
    review: "https://example.com/1",
    maxPerMinute: 1000,
    routes: [],
    selector: undefined,
    heartbeat: false,
  };
  return { ...about, sources: ["server"], expires: undefined, consent: undefined, ...event };
}

/** Text that would break out of a comment, a string or a template. */
const BREAKOUT = '*/ export const broken: number = "x"; /* ` $ {1} \\ " \n\u2028 @see';
/** A plan with what the Appsmith plan lacks: traits, pages, lists, odd names, and `BREAKOUT`. */
const odd: Plan = {
  ...plan,
  product: BREAKOUT,
  events: [
    eventOf({
      type: "identify",
      name: undefined,
      fields: { plan: { ...ABOUT, ...TEXT, enum: ["free", 'a"b\\c\n', BREAKOUT] } satisfies Field },
    }),
    eventOf({
      type: "page",
      name: "Home",
      fields: {
        "odd name": {
          ...ABOUT,
          type: "array",
          maxItems: 3,
          items: { type: "integer", minimum: 0, maximum: 9, buckets: [0, 5] },
          required: true,
        },
        deep: {
          ...ABOUT,
          type: "object",
          fields: { on: { ...ABOUT, type: "boolean", required: true, description: BREAKOUT } },
        },
      },
    }),
    eventOf({
      type: "track",
      name: "a-b",
      fields: { x: { ...ABOUT, type: "number", minimum: undefined, maximum: undefined, buckets: undefined } },
    }),
    eventOf({ type: "track", name: "a b", fields: {} }),
    eventOf({ type: "track", name: "1 ünïcödé", fields: {} }),
    eventOf({ type: "track", name: BREAKOUT, fields: {} }),
    eventOf({ type: "alias", name: undefined, fields: {} }),
  ],
};

const CALLS = `
import { plan } from "./appsmith.ts";
import { plan as oddPlan } from "./odd.ts";
import type { ClientEvents, Given, InstallerEvents, ServerEvents } from "./appsmith.ts";
import type * as odd from "./odd.ts";
declare function server<E extends keyof ServerEvents>(event: E, ...given: Given<ServerEvents[E]>): void;
declare function client<E extends keyof ClientEvents>(event: E, ...given: Given<ClientEvents[E]>): void;
declare function installer<E extends keyof InstallerEvents>(event: E, properties: InstallerEvents[E]): void;
declare function page<E extends keyof odd.ServerPages>(name: E, ...given: Given<odd.ServerPages[E]>): void;
declare function identify(userId: string, traits: odd.ServerTraits["identify"]): void;
declare function group(groupId: string, traits: odd.ServerTraits["group"]): void;
declare function track<E extends keyof odd.ServerEvents>(event: E, ...given: Given<odd.ServerEvents[E]>): void;
type Typed = { readonly sources?: { readonly server: { readonly events: object; readonly pages: object } } };
declare function create<P extends { readonly hash: string; readonly content: unknown } & Typed>(options: { plan: P }): {
  track<E extends keyof NonNullable<P["sources"]>["server"]["events"]>(
    event: E, ...given: Given<NonNullable<P["sources"]>["server"]["events"][E]>
  ): void;
};
const telemetry = create({ plan });
const oddTelemetry = create({ plan: oddPlan });
`;

/** A line of product code, and whether the line compiles. */
const USES: readonly [string, boolean][] = [
  ['server("Instance Active", { instanceId: "x" });', true],
  ['server("Instance Alive", { instanceId: "x" });', false],
  ['server("Installation Started", { os: "ubuntu" });', false],
  ['server("Instance Active", {});', false],
  ['server("Instance Active");', false],
  ['server("Instance Active", { instanceId: 1 });', false],
  ['server("Instance Active", { instanceId: "x", host: "x" });', false],
  [
    'server("execute_ACTION_TRIGGERED", { instanceId: "x", appMode: "edit", datasource: { name: "x" }, timeElapsed: 8 });',
    true,
  ],
  ['server("execute_ACTION_TRIGGERED", { instanceId: "x", appMode: "debug" });', false],
  ['server("execute_ACTION_TRIGGERED", { instanceId: "x", datasource: { host: "x" } });', false],
  ['server("execute_ACTION_TRIGGERED", { instanceId: "x", timeElapsed: "8" });', false],
  ['server("execute_ACTION_TRIGGERED", { instanceId: "x", isExampleApp: 0 });', false],
  ['installer("Installation Errors", { os: "debian", error: "port_taken" });', true],
  ['installer("Installation Errors", { os: "windows" });', false],
  ['client("APPLICATIONS_PAGE_LOAD");', true],
  ['client("APPLICATIONS_PAGE_LOAD", {});', true],
  ['client("APPLICATIONS_PAGE_LOAD", { query: "x" });', false],
  ['client("RUN_QUERY_CLICK", { pluginType: "DB" });', true],
  ['client("RUN_QUERY_CLICK");', true],
  ['identify("u", { plan: "free" });', true],
  ['identify("u", { plan: "paid" });', false],
  ['identify("u", { email: "x" });', false],
  ['group("g", {});', false],
  ['page("Home", { "odd name": [1, 2], deep: { on: true } });', true],
  ['page("Home", { "odd name": ["1"] });', false],
  ['page("Home", { "odd name": [1], deep: {} });', false],
  ['page("Away", {});', false],
  ['track("a-b", { x: 1 });', true],
  ['track("a b", { x: 1 });', false],
  ['track("1 ünïcödé");', true],
  ['track("alias");', false],
  ['telemetry.track("Instance Active", { instanceId: "x", boot: "0" });', true],
  ['telemetry.track("Instance Active", { instanceId: "x", host: "x" });', false],
  ['telemetry.track("Instance Active", { boot: "0" });', false],
  ['telemetry.track("Instance Active", { instanceId: 1 });', false],
  ['telemetry.track("Instance Active");', false],
  ['telemetry.track("Instance Alive", { instanceId: "x" });', false],
  ['telemetry.track("Installation Started", { os: "ubuntu" });', false],
  ['oddTelemetry.track("1 ünïcödé");', true],
  ['oddTelemetry.track("a-b", { x: "1" });', false],
  ['create({ plan: { hash: "0" } });', false],
];

let folder: string;
let failed: ReadonlySet<string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "candor-types-"));
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src/appsmith.ts"), generateTypeScript(plan));
  writeFileSync(join(folder, "src/odd.ts"), generateTypeScript(odd));
  for (const [index, [use]] of USES.entries())
    writeFileSync(join(folder, `src/use-${index}.ts`), CALLS + use);
  const compilerOptions = {
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    // Each use declares more names than it needs.
    noUnusedLocals: false,
    types: [],
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const extended = join(ROOT, "tsconfig.base.json");
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: extended, compilerOptions, include: ["src"] }),
  );
  failed = new Set([...compile().matchAll(/^src\/([\w-]+)\.ts\(/gm)].map((match) => match[1] ?? ""));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The compiler's output; empty if the code compiles. */
function compile(): string {
  try {
    return execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["--pretty", "false", "-p", folder], {
      cwd: folder,
      encoding: "utf8",
      timeout: 50_000,
    });
  } catch (error) {
    if (error instanceof Error && "stdout" in error && typeof error.stdout === "string") return error.stdout;
    throw error;
  }
}

test("the generated modules compile, whatever text the plan contains", () => {
  expect([...failed].filter((name) => !name.startsWith("use-"))).toEqual([]);
});

test.each(
  USES.map(([use, compiles], index) => [use, compiles ? "compiles" : "does not compile", index] as const),
)("%s %s", (_, verdict, index) => {
  expect(failed.has(`use-${index}`) ? "does not compile" : "compiles").toBe(verdict);
});

test("the module contains the plan's version, its reasons and the limits that types cannot express", () => {
  const text = generateTypeScript(plan);
  expect(text).toContain("export const PLAN_VERSION = 3;");
  expect(text).toContain(
    "  /** Who ran the action, hashed with a secret that never leaves the instance. Give the plain value: the SDK hashes it with the instance's secret. */\n  readonly username?: string;",
  );
  expect(text).toContain(
    "How long the action took, in milliseconds. A whole number. At least 0. At most 3600000. */",
  );
  expect(text).toContain(
    "/**\n * A heartbeat every six hours. It says how many instances run and how long they stay in use.\n * @see https://github.com/appsmithorg/appsmith/pull/1776\n */\nexport interface InstanceActiveProperties {",
  );
  const bare = plan.events.map((event) => ({ ...event, fields: {} }));
  expect(generateTypeScript({ ...plan, events: bare })).toContain(
    "export type ApplicationsPageLoadProperties = Record<string, never>;",
  );
});

test("events whose names differ only in punctuation get different types", () => {
  const text = generateTypeScript(odd);
  expect(text).toContain('readonly "a-b": ABProperties;\n  readonly "a b": AB2Properties;');
});

test("an event's comment says when it expires, and its rate if that is not the default", () => {
  const events = plan.events.map((event) =>
    event.name === "Instance Active" ? { ...event, expires: "2031-02-03", maxPerMinute: 2 } : event,
  );
  const text = generateTypeScript({ ...plan, events });
  expect(text).toContain("Refused from 2031-02-03 on. At most 2 a minute.");
  expect(text.match(/ a minute\./g)).toHaveLength(1);
});
