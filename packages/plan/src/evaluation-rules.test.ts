import { describe, expect, it } from "vitest";
import { checkNewVersion } from "./diff.ts";
import { type Edit, editExample } from "./example-plan.ts";
import { loadPlan } from "./load.ts";
import { factsOf, heartbeatOf, installLinkOf, pageEventsOf, usageEventsOf } from "./marks.ts";
import { PlanError } from "./plan-error.ts";
import { hashPlan } from "./plan-hash.ts";

function faultsOf(...edits: readonly Edit[]): string[] {
  try {
    loadPlan(editExample(...edits), "plan.yaml");
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
}

const OS: Edit[0] = "        enum: [debian, ubuntu, other]\n";
const MEMORY: Edit[0] = "        buckets: [0, 512, 1024, 4096]\n";
const EMAIL: Edit[0] = "        format: email\n";
const PATH: Edit[0] = "            format: url\n";
const ITEMS: Edit[0] = "        max_items: 3\n";
const HASH: Edit[0] = "        hash: true\n";
const CLICK: Edit[0] = "    source: [client]\n    since: 2\n";
const field = (name: string, more: string): string =>
  `      ${name}: { type: string, sensitivity: technical, description: A field., example: a, ${more} }\n`;
const BLOCK: Edit[0] = "    properties:\n      filters:\n";
const withFields = (...fields: readonly string[]): Edit => [
  BLOCK,
  `    properties:\n${fields.join("")}      filters:\n`,
];
const STATUS = "type: integer, sensitivity: technical, description: A status., example: 200";
const withStatus = (more: string): Edit => withFields(`      status: { ${STATUS}, ${more} }\n`);
/** Adds a server source and a heartbeat, with further keys for each. */
const withHeartbeat = (event: string, server = ""): Edit[] => [
  [
    "\nevents:\n",
    `  server:
    description: Kitchen on your machine.
    consent: notice
    retention_days: 90
${server}
events:
  - { type: track, name: Alive, source: [server], since: 1, why: Shows what is in use., owner: server team, review: https://kitchen.example/telemetry/3, heartbeat: true${event} }
`,
  ],
];
const UUID =
  'type: string, sensitivity: technical, description: Random., pattern: "[0-9a-f]{8}", example: 0b62ab60';
const HASHED =
  "type: string, sensitivity: technical, description: Hash., hash: true, example: 70280e5d07e61e5e915e5d26ac8704bb";
const many = (count: number, more: string): string[] =>
  Array.from({ length: count }, (_, n) => field(`f${n}`, `enum: [a], ${more}`));

describe("the keys for reports", () => {
  it.each<[what: string, edit: Edit]>([
    ["an enum as fact", [OS, `${OS}        fact: true\n`]],
    ["buckets as fact", [MEMORY, `${MEMORY}        fact: true\n`]],
    ["an enum as dimension", [OS, `${OS}        dimension: true\n`]],
    ["a number as duration", [MEMORY, "        measure: duration\n"]],
    ["a short pattern as fact", withFields(field("a", "pattern: a, max_length: 64, fact: true"))],
    ["16 facts", withFields(...many(16, "fact: true"))],
    ["whole numbers of a small range as dimension", withStatus("minimum: 0, maximum: 1000, dimension: true")],
    ["8 dimensions", withFields(...many(8, "dimension: true"))],
  ])("may be: %s", (_what, edit) => {
    expect(faultsOf(edit)).toEqual([]);
  });

  it.each<[what: string, edit: Edit, path: string, says: string]>([
    ["a fact of any text", withFields(field("a", "fact: true")), "a.fact", "Add an `enum`"],
    [
      "a fact with long texts",
      withFields(field("a", "pattern: a, max_length: 65, fact: true")),
      "a.fact",
      "`max_length` up to 64",
    ],
    ["a fact that is a number", [MEMORY, "        fact: true\n"], "freeMemoryMb.fact", "or `buckets`"],
    [
      "a fact that is a number with a small range",
      withStatus("minimum: 100, maximum: 599, fact: true"),
      "status.fact",
      "or `buckets`; or remove",
    ],
    [
      "a dimension with a large range",
      withStatus("minimum: 0, maximum: 1001, dimension: true"),
      "status.dimension",
      "at most 1000 apart",
    ],
    [
      "a dimension without a `maximum`",
      withStatus("minimum: 0, dimension: true"),
      "status.dimension",
      "at most 1000 apart",
    ],
    ["a nested measure", [PATH, `${PATH}            measure: success\n`], "path.measure", "own `properties`"],
    [
      "a dimension that is a list",
      [ITEMS, `${ITEMS}        dimension: true\n`],
      "filters.dimension",
      "few values",
    ],
    ["a fact of the context", [PATH, `${PATH}            fact: true\n`], "path.fact", "own `properties`"],
    [
      "a trait as a dimension",
      [HASH, `${HASH}        dimension: true\n`],
      "account.dimension",
      "own `properties`",
    ],
    ["a contact as fact", [EMAIL, `${EMAIL}        fact: true\n`], "email.fact", "nothing to count by"],
    [
      "a fact about what people do",
      withFields(field("a", "enum: [a], fact: true").replace("technical", "interaction")),
      "a.fact",
      "write `dimension`",
    ],
    [
      "a fact that is also a dimension",
      withFields(field("a", "enum: [a], fact: true, dimension: true")),
      "a.dimension",
      "Remove `dimension`, or `fact`",
    ],
    ["success that is text", [OS, `${OS}        measure: success\n`], "os.measure", "Write `type: boolean`"],
    [
      "duration that is text",
      [OS, `${OS}        measure: duration\n`],
      "os.measure",
      "Write `type: integer`",
    ],
    ["17 facts", withFields(...many(17, "fact: true")), "f16.fact", "at most 16"],
    ["9 dimensions", withFields(...many(9, "dimension: true")), "f8.dimension", "at most 8"],
    [
      "two durations",
      [
        MEMORY,
        `        measure: duration\n        sensitivity: technical\n        description: Free memory, rounded down.\n        example: 1024\n      took:\n        type: integer\n        measure: duration\n`,
      ],
      "took.measure",
      "by one field",
    ],
    ["a heartbeat of a browser", [CLICK, `${CLICK}    heartbeat: true\n`], "heartbeat", "`source: [server]`"],
  ])("may not be: %s", (_what, edit, path, says) => {
    const faults = faultsOf(edit);
    expect(
      faults.some((fault) => fault.includes(path) && fault.includes(says)),
      faults.join("\n"),
    ).toBe(true);
  });

  it.each<[what: string, edits: Edit[]]>([
    ["by a property", withHeartbeat(`, properties: { instanceId: { ${UUID} } }`)],
    ["by the server's `anonymousId`", withHeartbeat("", `    ids: { anonymousId: { ${UUID} } }\n`)],
    [
      "by the property that `instance_id` names",
      withHeartbeat(`, properties: { id: { ${UUID} } }`, "    instance_id: properties.id\n"),
    ],
    [
      "by the `anonymousId` that `instance_id` names",
      withHeartbeat("", `    instance_id: anonymousId\n    ids: { anonymousId: { ${UUID} } }\n`),
    ],
  ])("accept a heartbeat that carries the instance's id %s", (_what, edits) => {
    expect(faultsOf(...edits)).toEqual([]);
    expect(heartbeatOf(loadPlan(editExample(...edits), "plan.yaml"))?.name).toBe("Alive");
  });

  it.each<[what: string, edits: Edit[], name: string]>([
    ["no id", withHeartbeat(""), "instanceId"],
    ["the id of another property", withHeartbeat(`, properties: { id: { ${UUID} } }`), "instanceId"],
    ["a hash of it", withHeartbeat(`, properties: { instanceId: { ${HASHED} } }`), "instanceId"],
    [
      "another id than its server's",
      withHeartbeat(
        `, properties: { instanceId: { ${UUID} } }`,
        `    instance_id: properties.id\n    ids: { anonymousId: { ${UUID} } }\n`,
      ),
      "id",
    ],
  ])("refuse a heartbeat that carries %s", (_what, edits, name) => {
    expect(faultsOf(...edits)).toContain(
      `events[0].heartbeat: Reports count instances by it, so it carries their id. Declare \`${name}\` in its \`properties\`, as a string without \`hash\` and \`format\`; or remove \`heartbeat\`.`,
    );
  });

  it("report a wrong property only once, and not again at the heartbeat", () => {
    const edits = withHeartbeat(", properties: { instanceId: { type: string, sensitivity: technical } }");
    expect(faultsOf(...edits).filter((fault) => fault.startsWith("events[0]"))).toEqual([
      expect.stringContaining("events[0].properties.instanceId.description"),
    ]);
  });

  it("refuse a second heartbeat", () => {
    const alive = `, properties: { instanceId: { ${UUID} } }`;
    const [[from, to]] = withHeartbeat(alive) as [Edit];
    const event = to.slice(to.indexOf("  - {"));
    const again = to + event.replace("name: Alive", "name: Still Alive");
    expect(faultsOf([from, again])).toEqual([
      "events[1].heartbeat: A plan has one heartbeat. Remove it here.",
    ]);
  });

  it("are reported with their line", () => {
    const text = editExample([EMAIL, `${EMAIL}        fact: true\n`]);
    const line = text.slice(0, text.indexOf("fact: true")).split("\n").length;
    expect(() => loadPlan(text, "plan.yaml")).toThrow(`plan.yaml:${line}:9`);
  });

  it("do not change what is collected, so consents stay valid and no new version is needed", () => {
    const [[from, to]] = withHeartbeat(`, properties: { instanceId: { ${UUID} } }`) as [Edit];
    const plain = loadPlan(editExample([from, to.replace(", heartbeat: true", "")]), "plan.yaml");
    const marked = loadPlan(
      editExample(
        [from, to],
        [OS, `${OS}        fact: true\n`],
        [MEMORY, `${MEMORY}        dimension: true\n`],
      ),
      "plan.yaml",
    );
    expect([heartbeatOf(plain), heartbeatOf(marked)?.name]).toEqual([undefined, "Alive"]);
    expect(hashPlan(marked)).toBe(hashPlan(plain));
    expect(checkNewVersion(plain, marked)).toBeUndefined();
  });

  it("are found in a plan: without a heartbeat there are no facts, and all but the installer's events are usage", () => {
    const plan = loadPlan(editExample(), "plan.yaml");
    expect([heartbeatOf(plan), factsOf(plan), usageEventsOf(plan).map(({ name }) => name)]).toEqual([
      undefined,
      [],
      ["SEARCH_CLICK", undefined],
    ]);
  });

  it("are found in a plan: the heartbeat's link to an install, and the client's events of pages", () => {
    const link = "installId: { type: string, sensitivity: technical, description: Install., example: a }";
    const linked = withHeartbeat(`, properties: { instanceId: { ${UUID} }, ${link} }`);
    const load = (edits: readonly Edit[]) => loadPlan(editExample(...edits), "plan.yaml");
    expect(installLinkOf(load(linked))).toBe("installId");
    expect(installLinkOf(load(withHeartbeat(`, properties: { instanceId: { ${UUID} } }`)))).toBeUndefined();
    expect(installLinkOf(load([]))).toBeUndefined();
    const name = "    name: SEARCH_CLICK\n";
    expect(pageEventsOf(load([[name, `${name}    routes: [/search]\n`]]))).toEqual(["SEARCH_CLICK"]);
    expect(pageEventsOf(load([]))).toEqual([]);
  });
});
