import { describe, expect, test } from "vitest";
import { labelOf, type Plan, type PlanSource } from "../plan.ts";
import { REFERENCE_PLAN as plan } from "../rig/reference-plan.ts";
import { describePlan } from "./describe.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { PAGE_STYLE } from "./style.ts";

const samples = new Map(
  plan.events.map((event) => [labelOf(event), '{"context":{"ip":"203.0.113.0"},"type":"track"}']),
);

const htmlOf = (of: Plan, by = samples) => renderHtml(describePlan(of, by));
const markdownOf = (of: Plan, by = samples) => renderMarkdown(describePlan(of, by));

function withServer(change: Partial<PlanSource>): Plan {
  return {
    ...plan,
    sources: { ...plan.sources, server: { ...(plan.sources.server as PlanSource), ...change } },
  };
}

function decode(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

/** The text of the HTML's main part as a reader sees it, with white space collapsed. */
function textOf(html: string): string {
  const main = html.slice(html.indexOf("<main"), html.indexOf("</main>"));
  const broken = main
    .replace(/<wbr>|<a class="anchor".*?<\/a>/g, "")
    .replace(/<\/?(code|i|b|strong|a)\b[^>]*>/g, "");
  return decode(broken.replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ");
}

const words = (text: string) => text.match(/[A-Za-z0-9]+/g) ?? [];

describe("the page of the Appsmith plan", () => {
  const html = htmlOf(plan);
  const text = textOf(html);

  test.each([
    "What Appsmith collects",
    `Plan version ${plan.version}`,
    "https://github.com/appsmithorg/appsmith/issues",
    "APPSMITH_DISABLE_TELEMETRY=true",
    "Passwords, keys, tokens and connection details are never collected.",
    "sudo docker-compose rm -fsv appsmith-internal-server nginx && sudo docker-compose up -d",
    "Installer with notice The script that installs Appsmith with Docker.",
    "Client opt-in The Appsmith pages in a person's browser.",
    "Opt-in. Sent only after a Yes. No answer counts as No,",
    "203.0.113.57 becomes 203.0.113.0 (24 bits of IPv4, 48 bits of IPv6).",
    "such as Chrome on macOS, before anything is written.",
    "Kept for 730 days (2 years), then deleted",
    "page.path route without ids",
    "Any other id, or one of another form, is replaced by its keyed hash",
    "execute_ACTION_TRIGGERED track technical interaction content Says which plugins are used",
    "Owner Support team Review https://github.com/appsmithorg/appsmith/issues/5089 Since plan version 1",
    "instanceId required random object id or UUID",
    "appMode one of edit, view interaction Whether the app was being built",
    "datasource.name text of up to 128 characters content The name that people gave the datasource. Collected as an exception: Distinguishes the sample datasources",
    "timeElapsed whole number from 0 to 3600000 technical",
    "isExampleApp true or false technical",
    "username pseudonym: hashed by the sender, then again by the collector",
    "page.search always empty technical",
    "email Installation Support The e-mail address that the person entered for the answer. If it is empty, nothing is sent. error, os",
    "It is deleted after 90 days.",
    "such a value is a pseudonym",
    "and by the collector, with a secret of its own, because a collector cannot tell",
    "receivedAt When the collector received it.",
    "npx @candor/node forget DIR",
    "IP Geolocation by DB-IP",
    "boot random hexadecimal number technical A random number generated at each start.",
    "2 2026-11-23 The heartbeat also carries a random number",
    "1 2026-11-23 The first plan:",
  ])("says: %s", (sentence) => {
    expect(text).toContain(sentence);
  });

  test("says if an event has no properties", () => {
    const bare = plan.events.map((event) => ({ ...event, fields: {} }));
    expect(textOf(htmlOf({ ...plan, events: bare }))).toContain("It has no properties of its own.");
  });

  test("never calls a value anonymous", () => {
    expect(text).not.toMatch(/anonymous(?!Id|tId)/i);
  });

  test("says the same in Markdown, word for word", () => {
    const markdown = markdownOf(plan)
      .replace(/\]\([^)]*\)/g, "]")
      .replace(/^\d+\. /gm, "")
      .replace(/^```json$/gm, "");
    expect(words(decode(markdown))).toEqual(words(text));
  });

  test("shows the sample of each event that has one", () => {
    expect(html.match(/<pre /g)).toHaveLength(plan.events.length);
    expect(htmlOf(plan, new Map())).not.toContain("<pre ");
    expect(text).toContain(
      'Sample of Instance Active { "context": { "ip": "203.0.113.0" }, "type": "track" }',
    );
  });

  test("is the same for the same plan", () => {
    expect([htmlOf(plan), markdownOf(plan)]).toEqual([html, markdownOf(structuredClone(plan))]);
  });
});

test("names each variable that turns telemetry off", () => {
  const switches = { ...plan.switches, disable: ["APPSMITH_DISABLE_TELEMETRY", "NO_STATS"] as const };
  const several = { ...plan, switches };
  expect(textOf(htmlOf(several))).toContain("Off switch APPSMITH_DISABLE_TELEMETRY=true or NO_STATS=true ");
  expect(markdownOf(several)).toContain(
    "- **Off switch**: `APPSMITH_DISABLE_TELEMETRY=true` or `NO_STATS=true`\n",
  );
});

describe("what people would not expect", () => {
  test.each<[string, Partial<PlanSource>, string]>([
    ["whole addresses", { ip: "keep" }, "IP addresses from this source are kept whole."],
    [
      "an observed source",
      { mode: "observe" },
      "This source is in mode observe: until that ends, data that this page does not name is kept",
    ],
    ["whole user agents", { userAgent: "keep" }, "Kept whole."],
  ])("%s are shown in red", (_, change, sentence) => {
    expect(htmlOf(plan)).not.toContain('class="alarm"');
    expect(htmlOf(withServer(change))).toContain(`<strong class="alarm">${sentence}`);
    expect(markdownOf(withServer(change))).toContain(`**${sentence}`);
  });

  test("whole addresses and observing sources have a warning in Markdown too", () => {
    expect(markdownOf(plan)).not.toContain("[!CAUTION]");
    expect(markdownOf(withServer({ ip: "keep" }))).toContain("> [!CAUTION]\n> **IP addresses");
  });
});

test("the country database is named if any source looks up countries", () => {
  const dropped = Object.fromEntries(
    Object.entries(plan.sources).map(([name, source]) => [name, { ...source, ip: "drop" as const }]),
  );
  expect(htmlOf(plan)).toContain("https://db-ip.com");
  expect(htmlOf({ ...plan, sources: dropped })).not.toContain("db-ip.com");
});

test("an event says when it expires, and which consent it needs if that differs from its source's", () => {
  const events = plan.events.map((event) =>
    event.name === "Instance Active"
      ? { ...event, expires: "2031-02-03", consent: "opt-in" as const }
      : event,
  );
  const text = textOf(htmlOf({ ...plan, events }));
  expect(text).toContain(
    "Expires 2031-02-03 (it is dropped from that day on) Consent Opt-in. Sent only after a Yes.",
  );
});

test("says how often events are sent, and which are sent less often", () => {
  const events = plan.events.map((event) =>
    event.name === "Instance Active" ? { ...event, maxPerMinute: 2 } : event,
  );
  const rest = "a minute from one process; of the rest only the number is sent";
  expect(textOf(htmlOf({ ...plan, events }))).toContain(`How often at most 2 ${rest}`);
  expect(textOf(htmlOf(plan))).toContain(`How often Unless an event says otherwise: at most 1000 ${rest}`);
  expect(textOf(htmlOf(plan)).split(rest)).toHaveLength(2);
});

test("text in backquotes becomes code, and an unclosed backquote stays text", () => {
  const html = htmlOf({ ...plan, promises: ["Never `a<b` here.", "One ` alone."] });
  expect(html).toContain('<li>Never <code class="short">a&lt;b</code> here.</li>');
  expect(html).toContain("<li>One ` alone.</li>");
});

describe("the HTML", () => {
  const html = htmlOf(plan);

  test("is one document that loads nothing else", () => {
    expect(html.match(/<style>([\s\S]*?)<\/style>/)?.[1]).toBe(PAGE_STYLE);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|\sstyle=|\son\w+=|@import|url\(/i);
  });

  test("has one h1, and no heading skips a level", () => {
    const levels = [...html.matchAll(/<h([1-6])\b/g)].map((match) => Number(match[1]));
    expect(levels.filter((level) => level === 1)).toEqual([1]);
    expect(levels.filter((level, index) => index > 0 && level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
  });

  test("has unique ids, and links to them", () => {
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]);
    const targets = [...html.matchAll(/(?:href="#|aria-labelledby=")([^"]*)"/g)].map((match) => match[1]);
    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
  });

  test("names its language and landmarks, and keeps the meaning of tables that become cards", () => {
    expect(html).toContain('<html lang="en">');
    expect(html.match(/<main|<nav aria-label=|<header/g)).toEqual(["<nav aria-label=", "<main", "<header"]);
    const ids = [...html.matchAll(/<table role="table" aria-labelledby="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBe(html.match(/<table/g)?.length);
    for (const id of ids) expect(html).toMatch(new RegExp(`<(?:p|summary) class="caption" id="${id}">`));
    expect(html).not.toMatch(/<th(?!ead| scope="(?:row" role="rowheader|col" role="columnheader)")/);
    expect(html).not.toMatch(/<td(?! role="cell" data-label="[^"]+")|<tr(?! role="row")/);
  });

  test("folds the fields and the sample of each event, and nothing else", () => {
    expect(html.match(/<details class="sample">/g)).toHaveLength(plan.events.length);
    const folded = html.match(/<details class="sheet">\n<summary[^>]*>(?:Properties|Traits) of /g);
    expect(html.match(/<details class="sheet">/g)).toHaveLength(folded?.length ?? 0);
    expect(html).not.toContain("<details open");
  });

  test("keeps dates on one line", () => {
    expect(html).toContain('<td role="cell" data-label="Date"><time>2026-11-23</time></td>');
    expect(PAGE_STYLE).toContain("time { white-space: nowrap; }");
  });
});

/** The WCAG 2 contrast of two colours `#rrggbb`. */
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

test.each(["light", "dark"])("all text on the %s page has a contrast of 4.5 or more", (scheme) => {
  const [light = "", dark = ""] = PAGE_STYLE.split("\n* {")[0]?.split("@media") ?? [];
  const colours = new Map(
    [...(scheme === "light" ? light : dark).matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map((m) => [
      m[1],
      m[2] ?? "",
    ]),
  );
  const grounds = ["ground", "card", "sunken"];
  const pairs = [
    ...["text", "soft", "accent", "key", "string", "alarm"].flatMap((text) =>
      grounds.map((ground) => [text, ground]),
    ),
    ...["technical", "interaction", "content", "contact", "alarm"].map((tone) => [tone, `${tone}-ground`]),
  ];
  const faint = pairs.filter(
    ([text, ground]) => !(contrast(colours.get(text) ?? "", colours.get(ground) ?? "") >= 4.5),
  );
  expect(faint).toEqual([]);
});

/** Keywords of the model, which the plan's author cannot choose. */
const MODEL_KEYS = new Set([
  "type",
  "consent",
  "mode",
  "ip",
  "userAgent",
  "format",
  "sensitivity",
  "sources",
]);

/** Appends `payload` to every string and every field name that the plan's author chose. */
function spoil<Value>(value: Value, payload: string): Value {
  if (typeof value === "string") return `${value}${payload}` as Value;
  if (Array.isArray(value)) return value.map((item) => spoil(item, payload)) as Value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    if (key === "sources" && !Array.isArray(item)) return [key, spoilSources(item, payload)];
    if (key === "fields" || key === "context") {
      const fields = Object.entries(item).map(([name, field]) => [
        `${name}${payload}`,
        spoil(field, payload),
      ]);
      return [key, Object.fromEntries(fields)];
    }
    return [key, MODEL_KEYS.has(key) ? item : spoil(item, payload)];
  });
  return Object.fromEntries(entries);
}

function spoilSources(sources: object, payload: string) {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, spoil(source, payload)]));
}

describe("a plan with markup in every text", () => {
  const payload =
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`|[x](javascript:alert(1))\n\n# h";
  const spoilt = spoil(plan, payload);
  const spoiltSamples = new Map(
    spoilt.events.map((event) => [labelOf(event), JSON.stringify({ [payload]: payload })]),
  );

  test("gives HTML with the same tags and the texts unchanged", () => {
    const html = htmlOf(spoilt, spoiltSamples);
    expect(html).not.toMatch(/<script|<img/i);
    // The plan's strings, whose quotes and brackets are escaped, must add no tag and no attribute to the
    // page.
    const tags = (page: string) => [...new Set(page.match(/<\/?[a-z0-9]+|\s[a-z-]+="/g))].sort();
    expect(tags(html).filter((tag) => !tags(htmlOf(plan)).includes(tag))).toEqual([]);
    expect(html).not.toMatch(/href="(?!https:|mailto:|#)/);
    expect(textOf(html)).toContain(
      "Passwords, keys, tokens and connection details are never collected.\"'><script>alert(1)</script>",
    );
  });

  test("gives Markdown in which none of it is markup", () => {
    const markdown = markdownOf(spoilt, spoiltSamples);
    const prose = markdown
      .replace(/^(`{3,})json\n[\s\S]*?\n\1$/gm, "")
      .replace(/(?<![\\`])(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
    expect(prose).toContain("are never collected.");
    expect(prose).not.toMatch(/<(?!https:)/);
    expect(prose).not.toMatch(/(?<!\\)\]\(javascript/);
    const titles = markdown.match(/^#+ .*$/gm) ?? [];
    expect(titles).toHaveLength((markdownOf(plan).match(/^#+ .*$/gm) ?? []).length);
    const cells = prose.split("\n").filter((line) => line.startsWith("| "));
    expect(cells.length).toBeGreaterThan(100);
  });
});

test("a table's row has as many cells as its head, even if the plan contains bars", () => {
  const markdown = markdownOf(spoil(plan, " | `a|b`"), new Map());
  const tables = markdown
    .trim()
    .split("\n\n")
    .filter((block) => block.startsWith("| "));
  expect(tables.length).toBeGreaterThan(10);
  for (const table of tables) {
    const widths = table.split("\n").map((row) => row.split(/(?<!\\)\|/).length);
    expect(new Set(widths)).toEqual(new Set([widths[0]]));
  }
});

describe("how anonymous the stored data is", () => {
  const measured = {
    ...{ day: "2026-11-20", days: 28, minGroup: 20, instances: 800, fields: 61, undeclared: 0 },
    identifying: ["properties.<b>", "context.ip"],
  };
  const lineOf = (change: object): string | undefined =>
    /Measured on .*/.exec(renderMarkdown(describePlan(plan, samples, { ...measured, ...change })))?.[0];

  test("is said with its date once it was measured", () => {
    expect(lineOf({ identifying: ["context.ip"] })).toBe(
      "Measured on 2026-11-20 over at least 800 instances: of 61 stored fields, 1 has values that single out a tenth or more of its instances: `context.ip`.",
    );
    expect(lineOf({ identifying: [], undeclared: 2 })).toContain(
      "2 have values that single out a tenth or more of their instances: 2 that the plan does not declare.",
    );
    expect(lineOf({ identifying: [] })).toContain("of 61 stored fields, none has values");
    expect(lineOf({ instances: 0 })).toBe(
      "Measured on 2026-11-20: fewer than 20 instances, which are too few to publish numbers.",
    );
    expect(renderHtml(describePlan(plan, samples, measured))).toContain("properties.&lt;b&gt;");
  });

  test("is not on a page without a measurement", () => {
    expect(htmlOf(plan)).not.toContain("How anonymous");
  });
});
