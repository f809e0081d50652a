// @module-tag posix-tools
import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Field, Plan } from "../plan.ts";
import { hashPlan } from "../plan-hash.ts";
import { REFERENCE_PLAN as plan } from "../rig/reference-plan.ts";
import { toExtendedPattern } from "./extended-pattern.ts";
import { generateShell } from "./shell.ts";

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
  maxLength: 8,
  enum: undefined,
  pattern: undefined,
  hash: false,
} as const;
const NUMBER = { type: "integer", minimum: undefined, maximum: undefined, buckets: undefined } as const;

const ODD_EVENT = 'it\'s; $(echo x >&2) `id` "*"\n?';
const odd: Plan = {
  ...plan,
  events: [
    {
      type: "track",
      name: ODD_EVENT,
      sources: ["installer"],
      since: 1,
      why: "To know.",
      owner: "Us",
      review: "https://example.com/1",
      expires: undefined,
      consent: undefined,
      maxPerMinute: 1000,
      routes: [],
      selector: undefined,
      heartbeat: false,
      fields: {
        "a'b": { ...ABOUT, ...TEXT, enum: ["it's", "*", "a\nb", "$HOME", ""] },
        text: { ...ABOUT, ...TEXT },
        hash: { ...ABOUT, ...TEXT, hash: true },
        port: { ...ABOUT, ...NUMBER, minimum: 1, maximum: 65535 },
        depth: { ...ABOUT, ...NUMBER, minimum: -5 },
        seconds: { ...ABOUT, ...NUMBER, buckets: [0, 10, 60] },
        on: { ...ABOUT, type: "boolean" },
        version: { ...ABOUT, ...TEXT, pattern: "\\d{1,2}\\.\\d|it's" },
        release: { ...ABOUT, ...TEXT, format: "version" },
        lookahead: { ...ABOUT, ...TEXT, pattern: "(?=a)a" },
        list: { ...ABOUT, type: "array", maxItems: 2, items: { type: "boolean" } },
        object: { ...ABOUT, type: "object", fields: {} },
      } satisfies Record<string, Field>,
    },
  ],
};

/** The odd plan with parts that a later version added. */
const grown: Plan = {
  ...odd,
  events: odd.events.map((event) => ({
    ...event,
    since: 2,
    fields: Object.fromEntries(
      Object.entries(event.fields).map(([name, field]) => [
        name,
        { ...field, since: name === "text" ? 3 : name === "object" ? 4 : 2 },
      ]),
    ),
  })),
};

/** Loads the table in a strict sh and queries it. Returns `allowed`, `refused`, or what went wrong. */
function ask(table: string, shell: string, ...question: readonly string[]): string {
  const script = `set -eu\n${table}\nif candor_plan_allows "$1" "$2" "$3"; then echo allowed; else echo refused; fi`;
  const run = spawnSync(shell, ["-c", script, shell, ...question], { encoding: "utf8" });
  return run.stderr === "" && run.status === 0 ? run.stdout.trim() : `status ${run.status}: ${run.stderr}`;
}

const isThere = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

describe.each(["sh", "bash"].filter(isThere))("the table of the Appsmith plan in %s", (shell) => {
  const table = generateShell(plan);
  test.each([
    ["Installation Started", "os", "ubuntu", "allowed"],
    ["Installation Started", "os", "Ubuntu", "refused"],
    ["Installation Started", "os", "ubuntu\nx", "refused"],
    ["Installation Started", "os", "*", "refused"],
    ["Installation Started", "os", "ubuntu | debian", "refused"],
    ["Installation Started", "os", "", "refused"],
    ["Installation Started", "error", "port_taken", "refused"],
    ["Installation Errors", "error", "port_taken", "allowed"],
    ["Installation Errors", "error", "/opt/appsmith exists", "refused"],
    ["Installation Aborted", "os", "ubuntu", "refused"],
    ["Instance Active", "instanceId", "612460418944011a10fa5b", "refused"],
    ["Installation Support", "email", "ada@example.com", "allowed"],
    ["Installation Support", "email", "ada", "refused"],
    ["Installation Support", "email", "ada@example.com\nx", "refused"],
    ["Installation Support", "email", "a@b@c", "refused"],
    ["Installation Support", "email", `${"a".repeat(250)}@b.c`, "allowed"],
    ["Installation Support", "email", `${"a".repeat(251)}@b.c`, "refused"],
  ])("%j %j %j: %s", (event, property, value, verdict) => {
    expect(ask(table, shell, event, property, value)).toBe(verdict);
  });
});

describe.each(["sh", "bash"].filter(isThere))("a table with odd names and every type in %s", (shell) => {
  const table = generateShell(odd);
  test.each([
    ["a'b", "it's", "allowed"],
    ["a'b", "*", "allowed"],
    ["a'b", "anything", "refused"],
    ["a'b", "a\nb", "allowed"],
    ["a'b", "$HOME", "allowed"],
    ["a'b", "", "allowed"],
    ["text", "12345678", "allowed"],
    ["text", "123456789", "refused"],
    ["text", "a\tb", "refused"],
    ["text", "a\nb", "refused"],
    ["text", "\"; id;'", "allowed"],
    ["hash", "0123456789abcdef0123456789abcdef", "allowed"],
    ["hash", "0123456789ABCDEF0123456789abcdef", "refused"],
    ["hash", "0123456789abcdef", "refused"],
    ["hash", "ada@example.com", "refused"],
    ["port", "1", "allowed"],
    ["port", "65535", "allowed"],
    ["port", "65536", "refused"],
    ["port", "0", "refused"],
    ["port", "080", "refused"],
    ["port", "8.0", "refused"],
    ["port", "1 -o 1", "refused"],
    ["port", "99999999999999999999999", "refused"],
    ["depth", "-5", "allowed"],
    ["depth", "-6", "refused"],
    ["depth", "-0", "refused"],
    ["depth", "--5", "refused"],
    ["depth", "-", "refused"],
    ["depth", "", "refused"],
    ["seconds", "10", "allowed"],
    ["seconds", "11", "refused"],
    ["on", "true", "allowed"],
    ["on", "yes", "refused"],
    ["version", "20.4", "allowed"],
    ["version", "it's", "allowed"],
    ["version", "20x4", "refused"],
    ["version", "20.4\n20.4", "refused"],
    ["release", "4.2.0.17", "allowed"],
    ["release", "v1-rc.1", "allowed"],
    ["release", "1.9 beta", "refused"],
    ["release", "latest", "refused"],
    ["lookahead", "a", "refused"],
    ["list", "true", "refused"],
    ["object", "{}", "refused"],
  ])("%j %j: %s", (property, value, verdict) => {
    expect(ask(table, shell, ODD_EVENT, property, value)).toBe(verdict);
  });
});

/** Loads the table in a strict sh, and then runs further lines. */
function runIn(shell: string, table: string, lines: string, ...args: readonly string[]): string {
  const script = `set -eu\n${table}\n${lines}`;
  return execFileSync(shell, ["-c", script, shell, ...args], { encoding: "utf8" });
}

describe.each(["sh", "bash"].filter(isThere))("what the table tells in %s", (shell) => {
  test("types of properties", () => {
    const lines =
      'for property in text port on list; do candor_plan_type "$1" "$property" || echo none; done';
    expect(runIn(shell, generateShell(odd), lines, ODD_EVENT)).toBe("string\nnumber\nboolean\nnone\n");
  });

  test("the plan's settings", () => {
    const names = "PRODUCT VERSION HASH SOURCE CONSENT DISABLE OPT_IN MODE LINK SWITCHES".split(" ");
    const lines = names.map((name) => `printf '%s\\n' "$CANDOR_PLAN_${name}"`).join("\n");
    const product = "It's $HOME & more";
    const of = { ...plan, product };
    expect(runIn(shell, generateShell(of), lines).trimEnd().split("\n")).toEqual([
      product,
      "3",
      hashPlan(of),
      "installer",
      "notice",
      "APPSMITH_DISABLE_TELEMETRY",
      "APPSMITH_CLIENT_TELEMETRY",
      "IT_S_HOME_MORE_TELEMETRY",
      "installId",
      "APPSMITH_DISABLE_TELEMETRY APPSMITH_CLIENT_TELEMETRY IT_S_HOME_MORE_TELEMETRY",
    ]);
  });

  test("each of several switches, and the first one, which people are told about", () => {
    const switches = { ...plan.switches, disable: ["NO_STATS", "APPSMITH_DISABLE_TELEMETRY"] as const };
    const lines =
      'is() { [ "$1" = "$2" ]; }; for set in NO_STATS APPSMITH_DISABLE_TELEMETRY OTHER; do candor_plan_disable is "$set" && echo off || echo .; done; printf "%s\n" "$CANDOR_PLAN_DISABLE" "$CANDOR_PLAN_SWITCHES"';
    expect(runIn(shell, generateShell({ ...plan, switches }), lines)).toBe(
      "off\noff\n.\nNO_STATS\nNO_STATS APPSMITH_DISABLE_TELEMETRY APPSMITH_CLIENT_TELEMETRY APPSMITH_TELEMETRY\n",
    );
  });

  test("what a person is told and asked, with the product's name unchanged", () => {
    const product = "It's $HOME\\n & more";
    const lines =
      "candor_plan_words installer; candor_plan_words support; candor_plan_words other || echo none";
    expect(runIn(shell, generateShell({ ...plan, product }), lines)).toBe(
      `May ${product} tell its makers how this install goes? [y/N]\nMay the makers of ${product} write to you about this install? [y/N]\nnone\n`,
    );
  });

  test("what a message's context may contain, under the event ''", () => {
    const lines =
      'candor_plan_allows "" library.name candor-installer && candor_plan_type "" library.name; candor_plan_since "" library.version; candor_plan_allows "" library.name "no name" || echo none; candor_plan_allows "" ip 1.2.3.4 || echo none';
    expect(runIn(shell, generateShell(plan), lines)).toBe("string\n1\nnone\nnone\n");
  });

  test("whether a command holds for a name of the switch, and for all variables of a CI system", () => {
    const lines =
      'is() { case $1 in *" $2 "*) ;; *) return 1 ;; esac; }; for set in "" APPSMITH_DISABLE_TELEMETRY TF_BUILD TASK_ID RUN_ID "TASK_ID RUN_ID"; do candor_plan_disable is " $set " && echo off; candor_plan_ci is " $set " && echo ci; echo .; done';
    expect(runIn(shell, generateShell(plan), lines)).toBe(".\noff\n.\nci\n.\n.\n.\nci\n.\n");
  });

  test("what later versions of the plan added for a source, by the changelog", () => {
    const changelog = [
      { version: 4, date: "2026-11-25", text: "It's an\n  object." },
      { version: 3, date: "2026-11-24", text: "A text." },
      { version: 2, date: "2026-11-23", text: "Most of it." },
      { version: 1, date: "2026-11-22", text: "The first." },
    ];
    const lines =
      'for given in 1 2 3 4; do candor_plan_news installer "$given"; candor_plan_news server "$given"; echo .; done; candor_plan_news other 1 || echo none';
    expect(runIn(shell, generateShell({ ...grown, version: 4, changelog }), lines)).toBe(
      "New: Most of it.\nNew: A text.\nNew: It's an object.\n.\nNew: A text.\nNew: It's an object.\n.\nNew: It's an object.\n.\n.\nnone\n",
    );
  });

  test("the version that added an event and each of its properties", () => {
    const since = (event: string, ...property: readonly string[]) =>
      runIn(shell, generateShell(grown), 'candor_plan_since "$@" || echo none', event, ...property).trim();
    expect([
      since(ODD_EVENT),
      since(ODD_EVENT, ""),
      since(ODD_EVENT, "text"),
      since(ODD_EVENT, "a'b"),
      since(ODD_EVENT, "object"),
      since(ODD_EVENT, "absent"),
      since(ODD_EVENT, "*"),
      since("absent"),
      since("absent", "text"),
    ]).toEqual(["2", "2", "3", "2", "4", "none", "none", "none", "none"]);
  });

  test("the consent rule of each source, and the newest version of what it may send", () => {
    const ask = (table: string) =>
      runIn(
        shell,
        table,
        'for of in installer server client other \'\'; do candor_plan_consent "$of" || echo none; candor_plan_newest "$of" || echo none; done',
      )
        .trim()
        .split("\n");
    const none = ["none", "none"];
    expect(ask(generateShell(plan))).toEqual(["notice", "3", "notice", "3", "opt-in", "3", ...none, ...none]);
    const { client: _, ...sources } = grown.sources;
    expect(ask(generateShell({ ...grown, sources }))).toEqual([
      "notice",
      "4",
      "notice",
      "1",
      ...none,
      ...none,
      ...none,
    ]);
  });
});

test("a source without events has a table that allows nothing", () => {
  const table = generateShell({ ...plan, events: [] }, "server");
  expect(ask(table, "sh", "Instance Active", "instanceId", "612460418944011a10fa5b")).toBe("refused");
});

for (const [name, of] of [
  ["Appsmith", plan],
  ["odd", odd],
  ["grown", grown],
  ["empty", { ...plan, events: [] }],
] as const)
  test(`shellcheck finds nothing in the table of the ${name} plan`, { tags: ["shellcheck"] }, () => {
    const run = spawnSync("shellcheck", ["-s", "sh", "-"], { input: generateShell(of), encoding: "utf8" });
    expect(run.stdout).toBe("");
  });

test("an event with its own consent rule is not in the table, because the kit knows only the source's", () => {
  const stricter = plan.events.map((event) =>
    event.name === "Installation Success" ? { ...event, consent: "opt-in" as const } : event,
  );
  const table = generateShell({ ...plan, events: stricter });
  expect(table).toContain("'Installation Started'");
  expect(table).not.toContain("Installation Success");
});

describe("a pattern for grep", () => {
  test.each<[string, string | undefined]>([
    ["[0-9a-f]{8}-[0-9a-f]{4}", "[0-9a-f]{8}-[0-9a-f]{4}"],
    ["(?:a|b)+?\\/\\-", "(a|b)+/-"],
    ["\\d\\w\\.", "[0-9][A-Za-z0-9_]\\."],
    ["|a", undefined],
    ["(a|)", undefined],
    ["^a$", undefined],
    ["[\\w.]", undefined],
    ["[[:alpha:]]", undefined],
    ["(?!a)b", undefined],
    ["\\bword\\b", undefined],
    ["\\p{L}", undefined],
    ["(a)\\1", undefined],
  ])("%j becomes %j", (pattern, extended) => {
    expect(toExtendedPattern(pattern)).toBe(extended);
  });

  const values = [
    "analytics-node",
    "@candor/node",
    "unknown",
    "2.1.1",
    "npm:next-1.80.0-beta.1",
    "10.0.0.1",
    "en-US",
    "zh-Hant-TW",
    "/a:b/",
    "612460418944011a10fa5b",
    "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d",
    "x",
    "PostgreSQL",
  ];
  const fields = [
    ...Object.values(plan.sources).flatMap((source) => [source.context, source.ids as Record<string, Field>]),
    ...plan.events.map((event) => event.fields),
  ].flatMap((of) =>
    Object.values(of).flatMap((field) => (field.type === "object" ? Object.values(field.fields) : [field])),
  );
  const patterns = new Set(
    fields.flatMap((field) =>
      field.type === "string" && field.pattern !== undefined ? [field.pattern] : [],
    ),
  );

  test.each(
    [...patterns].flatMap((pattern) => {
      const extended = toExtendedPattern(pattern);
      return extended === undefined ? [] : [[pattern, extended] as const];
    }),
  )("matches what %j matches", (pattern, extended) => {
    const found = spawnSync("grep", ["-E", "-x", "-e", extended], {
      input: values.join("\n"),
      encoding: "utf8",
      env: { LC_ALL: "C" },
    });
    const whole = new RegExp(`^(?:${pattern})$`, "u");
    expect(found.stdout.split("\n").slice(0, -1)).toEqual(values.filter((value) => whole.test(value)));
  });
});
