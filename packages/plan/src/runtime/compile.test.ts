import { describe, expect, it } from "vitest";
import { loadPlan } from "../load.ts";
import type { PlanSourceName } from "../plan.ts";
import { compilePlan, type JudgedMessage } from "./compile.ts";
import type { Judgement } from "./judgement.ts";

const AT_MS = Date.parse("2026-06-01T00:00:00Z");

/** @param mode of the server's source */
function planText(mode = "enforce"): string {
  return `
product: Test
contact: test@example.org
version: 2
promises: [Nothing that is not here.]
turn_off: [Set TEST_OFF.]
switches: { disable: TEST_OFF }
contacts: { retention_days: 30 }
changelog:
  - { version: 2, date: "2026-02-01", text: More. }
  - { version: 1, date: "2026-01-01", text: The first. }
sources:
  server:
    description: The server.
    consent: notice
    mode: ${mode}
    ip: truncate
    retention_days: 30
    context:
      ip: { type: string, format: ip, sensitivity: technical, description: Its address., example: 203.0.113.9 }
      userAgent: { type: string, format: user_agent, sensitivity: technical, description: Its program., example: curl }
      page:
        type: object
        description: The page.
        fields:
          url: { type: string, format: url, max_length: 40, sensitivity: interaction, description: Its path., example: /a }
    ids:
      userId: { type: string, pattern: "[0-9a-f]{8}", sensitivity: technical, description: Random., example: 0123abcd }
  client:
    description: The browser.
    consent: notice
    retention_days: 30
events:
  - type: track
    name: Ran
    source: [server]
    since: 1
    why: To know.
    owner: tests
    review: https://example.org/1
    properties:
      text: { type: string, max_length: 20, sensitivity: technical, description: Text., example: hello }
      kind: { type: string, enum: [a, b], sensitivity: technical, description: Kind., example: a }
      code: { type: string, pattern: "[A-Z]{2}", sensitivity: technical, description: Code., example: AB }
      user: { type: string, hash: true, sensitivity: interaction, description: Who., example: 0123456789abcdef0123456789abcdef }
      ms: { type: integer, minimum: 0, maximum: 1000, sensitivity: technical, description: Time., example: 8 }
      size: { type: number, buckets: [0, 10, 100], sensitivity: technical, description: Size., example: 10 }
      ok: { type: boolean, sensitivity: technical, description: Fine., example: true }
      tags: { type: array, items: { type: string, enum: [x, y] }, max_items: 3, sensitivity: technical, description: Tags., example: [x] }
      source:
        type: object
        description: A thing.
        fields:
          name: { type: string, sensitivity: content, exception: Needed., description: Name., example: Test }
  - type: track
    name: Needs
    source: [server]
    since: 1
    why: To know.
    owner: tests
    review: https://example.org/1
    properties:
      id: { type: string, pattern: "[a-z]+", required: true, sensitivity: technical, description: Id., example: abc }
  - type: track
    name: Past
    source: [server]
    since: 1
    expires: "2026-05-01"
    why: To know.
    owner: tests
    review: https://example.org/1
  - type: track
    name: Help
    source: [server]
    since: 1
    why: To help.
    owner: tests
    review: https://example.org/1
    properties:
      os: { type: string, enum: [ubuntu], sensitivity: technical, description: System., example: ubuntu }
      email: { type: string, format: email, sensitivity: contact, kept_with: [os], description: Address., example: jane@example.org }
  - type: identify
    source: [server]
    since: 2
    why: To know.
    owner: tests
    review: https://example.org/1
    traits:
      role: { type: string, enum: [admin], sensitivity: technical, description: Role., example: admin }
  - type: track
    name: Clicked
    source: [client]
    since: 1
    why: To know.
    owner: tests
    review: https://example.org/1
`;
}

const reducers = {
  address: (address: string, policy: string) => `${policy}(${address.length})`,
  userAgent: (_userAgent: string, policy: string) => `ua:${policy}`,
  pseudonym: (id: string) => `hash(${id.length})`,
};
const compiled = compilePlan(loadPlan(planText(), "plan.yaml"), reducers);
const observing = compilePlan(loadPlan(planText("observe"), "plan.yaml"), reducers);

function judge(
  message: Partial<JudgedMessage>,
  plan = compiled,
  source: PlanSourceName = "server",
): { judgement: Judgement; kept: JudgedMessage } {
  const kept: JudgedMessage = {
    type: "track",
    event: "Ran",
    name: undefined,
    category: undefined,
    userId: undefined,
    anonymousId: undefined,
    groupId: undefined,
    previousId: undefined,
    properties: message.type === "identify" ? undefined : {},
    traits: undefined,
    context: {},
    integrations: {},
    ...message,
  };
  return { judgement: plan.judge(source, kept, AT_MS), kept };
}

const GOOD = {
  text: "hello",
  kind: "b",
  code: "AB",
  user: "f".repeat(64),
  ms: 8,
  size: 10,
  ok: false,
  tags: ["x", "y"],
  source: { name: "My data" },
};

describe("a compiled plan", () => {
  it("leaves a message with which nothing is wrong as it is, the same objects", () => {
    const context = { ip: "203.0.113.9" };
    const { judgement, kept } = judge({ properties: GOOD, userId: "0123abcd" });
    expect(judgement).toEqual({ event: "track Ran", refused: undefined, trims: [], contact: undefined });
    expect(kept.properties).toBe(GOOD);
    expect(kept.userId).toBe("0123abcd");
    expect(judge({ context }).kept.context).toEqual({ ip: "truncate(11)" });
    expect(context).toEqual({ ip: "203.0.113.9" });
  });

  it.each([
    ["an undeclared property", { secret: "x" }, {}, "properties.*", "undeclared"],
    ["one that is called __proto__", JSON.parse('{"__proto__":{"a":1}}'), {}, "properties.*", "undeclared"],
    ["one that every object has", { toString: "x", constructor: 1 }, {}, "properties.*", "undeclared"],
    [
      "an undeclared part of an object",
      { source: { name: "a", b: 1 } },
      { source: { name: "a" } },
      "properties.source.*",
      "undeclared",
    ],
    ["a number for a text", { text: 8 }, {}, "properties.text", "wrong_type"],
    ["a null", { text: null }, {}, "properties.text", "wrong_type"],
    ["a list for an object", { source: [] }, {}, "properties.source", "wrong_type"],
    ["an object for a text", { text: { a: 1 } }, {}, "properties.text", "wrong_type"],
    ["a text for a list", { tags: "x" }, {}, "properties.tags", "wrong_type"],
    ["a fraction for an integer", { ms: 1.5 }, {}, "properties.ms", "wrong_type"],
    ["a text for a boolean", { ok: "true" }, {}, "properties.ok", "wrong_type"],
    ["a long text", { text: "x".repeat(21) }, {}, "properties.text", "too_long"],
    ["another value than the declared ones", { kind: "c" }, {}, "properties.kind", "not_in_enum"],
    ["another form", { code: "ABC" }, {}, "properties.code", "pattern_mismatch"],
    ["an e-mail where a hash belongs", { user: "jane@example.org" }, {}, "properties.user", "not_hashed"],
    ["upper-case hex where a hash belongs", { user: "A".repeat(64) }, {}, "properties.user", "not_hashed"],
    ["a number out of range", { ms: 1001 }, {}, "properties.ms", "out_of_range"],
    ["a number below the buckets", { size: -1 }, {}, "properties.size", "out_of_range"],
    ["a wrong item", { tags: ["x", "z"] }, { tags: ["x"] }, "properties.tags[]", "not_in_enum"],
    ["too many items", { tags: ["x", "x", "x", "x"] }, {}, "properties.tags", "too_many_items"],
    [
      "an e-mail in a text",
      { text: "to a@b.org now" },
      { text: "to [email] now" },
      "properties.text",
      "email_removed",
    ],
    [
      "an address in a text",
      { text: "at 10.0.0.1" },
      { text: "at [ip]" },
      "properties.text",
      "address_removed",
    ],
  ])("takes out %s, and says where without repeating it", (_what, properties, left, path, reason) => {
    const given = structuredClone(properties);
    const { judgement, kept } = judge({ properties });
    expect(kept.properties).toEqual(left);
    expect(judgement.trims).toEqual([{ path, reason }]);
    expect(judgement.refused).toBeUndefined();
    expect(properties).toEqual(given);
  });

  it("keeps the other properties and their order", () => {
    const { kept } = judge({ properties: { kind: "a", x: 1, ms: 9, ok: true, y: 2 } });
    expect(Object.keys(kept.properties ?? {})).toEqual(["kind", "ms", "ok"]);
  });

  it("replaces a number by its bucket, and says nothing of it", () => {
    expect(
      [0, 9.9, 10, 99, 1e9].map((size) => judge({ properties: { size } }).kept.properties?.size),
    ).toEqual([0, 0, 10, 10, 100]);
    expect(judge({ properties: { size: 55 } }).judgement.trims).toEqual([]);
  });

  it("applies policies to addresses and user agents, and reduces URLs, before limits are judged", () => {
    const url = "https://jane@host.example/path?token=x#y";
    const { judgement, kept } = judge({
      properties: { text: "2001:db8::1" },
      context: { ip: "203.0.113.9", userAgent: "Mozilla/5.0", page: { url } },
      userId: "203.0.113.9",
    });
    expect(kept.properties).toEqual({ text: "truncate(11)" });
    expect(kept.context).toEqual({ ip: "truncate(11)", userAgent: "ua:family", page: { url: "/path" } });
    expect(kept.userId).toBe("truncate(11)");
    expect(judgement.trims).toEqual([]);
  });

  it("replaces ids of another form by their keyed hashes", () => {
    const { judgement, kept } = judge({ userId: "jane@example.org", anonymousId: "0123abcd" });
    expect([kept.userId, kept.anonymousId]).toEqual(["hash(16)", "hash(8)"]);
    expect(judgement.trims).toEqual([
      { path: "userId", reason: "id_replaced" },
      { path: "anonymousId", reason: "id_replaced" },
    ]);
  });

  it("empties what is not declared at all: traits of a track, category, name, integrations, context", () => {
    const { judgement, kept } = judge({
      traits: { email: "a@b.org" },
      category: "c",
      name: "n",
      integrations: { All: true },
      context: { device: { id: "x" } },
    });
    expect(kept).toMatchObject({
      traits: undefined,
      category: undefined,
      name: undefined,
      integrations: {},
      context: {},
    });
    expect(judgement.trims.map(({ path }) => path)).toEqual([
      "traits.*",
      "category",
      "name",
      "context.*",
      "integrations.*",
    ]);
  });

  it.each([
    ["an event that is not in the plan", { event: "Other" }, "*", "event_not_in_plan"],
    [
      "a type that is not",
      { type: "page" as const, event: undefined, name: "Ran" },
      "*",
      "event_not_in_plan",
    ],
    ["an event of another source", { event: "Clicked" }, "*", "wrong_source"],
    ["one whose date has passed", { event: "Past" }, "track Past", "event_expired"],
    ["a missing required property", { event: "Needs" }, "track Needs", "required_missing"],
    [
      "a wrong required property",
      { event: "Needs", properties: { id: "A" } },
      "track Needs",
      "required_missing",
    ],
  ])("refuses %s", (_what, message, event, refused) => {
    expect(judge(message).judgement).toMatchObject({ event, refused });
  });

  it("knows identify by its type, whatever name it carries", () => {
    const { judgement, kept } = judge({
      type: "identify",
      event: undefined,
      name: "x",
      traits: { role: "admin" },
    });
    expect(judgement).toMatchObject({ event: "identify", refused: undefined });
    expect([kept.traits, kept.name]).toEqual([{ role: "admin" }, undefined]);
  });

  it("moves a contact out, with what is kept beside it", () => {
    const properties = { os: "ubuntu", email: "jane@example.org", x: 1 };
    const { judgement, kept } = judge({ event: "Help", properties });
    expect(judgement.contact).toEqual({ contact: "jane@example.org", about: { os: "ubuntu" } });
    expect(kept.properties).toEqual({ os: "ubuntu" });
    expect(judge({ event: "Help", properties: { email: "no address" } }).judgement.contact).toBeUndefined();
  });

  it("counts a kind of finding once in a message, however many undeclared names there are", () => {
    const properties = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`p${n}`, n]));
    expect(judge({ properties }).judgement.trims).toEqual([{ path: "properties.*", reason: "undeclared" }]);
  });
});

describe("a plan that observes", () => {
  it("keeps what is not declared, but for addresses, and notes it", () => {
    const { judgement, kept } = judge(
      { properties: { ms: "x", more: { at: "10.0.0.1", mail: "a@b.org", "c@d.org": 1 } }, userId: "someone" },
      observing,
    );
    expect(kept.properties).toEqual({ ms: "x", more: { at: "truncate(8)", mail: "[email]", "[email]": 1 } });
    expect(kept.userId).toBe("someone");
    expect(judgement).toMatchObject({ event: "track Ran", refused: undefined });
    expect(judgement.trims.map(({ path }) => path)).toEqual(["properties.ms", "properties.*"]);
  });

  it("keeps an event that is not in the plan, without addresses", () => {
    const { judgement, kept } = judge(
      { event: "New", properties: { a: "x@y.org" }, userId: "x@y.org" },
      observing,
    );
    expect([kept.event, kept.properties, kept.userId]).toEqual(["New", { a: "[email]" }, "hash(7)"]);
    expect(judgement).toMatchObject({ event: "*", refused: undefined });
  });
});
