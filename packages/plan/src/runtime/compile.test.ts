import { describe, expect, it, test } from "vitest";
import { loadPlan } from "../load.ts";
import { consentOf, type IpPolicy, PLAN_SOURCES, type Plan, type PlanSourceName } from "../plan.ts";
import { applyAddressPolicy } from "./address-policy.ts";
import { type CheckedMessage, compilePlan } from "./compile.ts";
import type { Verdict } from "./verdict.ts";

const AT_MS = Date.parse("2026-06-01T00:00:00Z");

/**
 * The text of a plan.
 * @param mode the mode of the server source
 */
function planText(mode = "enforce"): string {
  return `
product: Test
contact: test@example.org
version: 2
promises: [Nothing that is not here.]
turn_off: [Set TEST_OFF.]
switches: { disable: TEST_OFF, opt_in: TEST_ASK }
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
    context:
      user: { type: string, hash: true, sensitivity: interaction, description: Who., example: 0123456789abcdef0123456789abcdef }
    ids:
      userId: { type: string, hash: true, sensitivity: interaction, description: Who., example: 0123456789abcdef0123456789abcdef }
      anonymousId: { type: string, pattern: "[a-z]{1,8}", sensitivity: technical, description: Random., example: abc }
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
    name: Hashed
    source: [server, client]
    since: 2
    consent: opt-in
    why: To know.
    owner: tests
    review: https://example.org/1
    properties:
      who: { type: string, hash: true, required: true, sensitivity: interaction, description: Who., example: 0123456789abcdef0123456789abcdef }
      team:
        type: object
        description: A team.
        fields:
          members: { type: array, items: { type: string, hash: true }, sensitivity: interaction, description: Who., example: [0123456789abcdef0123456789abcdef] }
  - type: track
    name: Clicked
    source: [client]
    since: 1
    why: To know.
    owner: tests
    review: https://example.org/1
`;
}

const redactors = {
  address: (address: string, policy: string) => `${policy}(${address.length})`,
  userAgent: (_userAgent: string, policy: string) => `ua:${policy}`,
  pseudonym: (id: string) => `hash(${id.length})`,
};
const compiled = compilePlan(loadPlan(planText(), "plan.yaml"), redactors);
const observing = compilePlan(loadPlan(planText("observe"), "plan.yaml"), redactors);

function check(
  message: Partial<CheckedMessage>,
  plan = compiled,
  source: PlanSourceName = "server",
): { verdict: Verdict; kept: CheckedMessage } {
  const kept: CheckedMessage = {
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
  return { verdict: plan.check(source, kept, AT_MS), kept };
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
  it("leaves a correct message unchanged, with the same objects", () => {
    const context = { ip: "203.0.113.9" };
    const { user: _hashedOnceMore, ...good } = GOOD;
    const { verdict, kept } = check({ properties: good, userId: "0123abcd" });
    expect(verdict).toEqual({ event: "track Ran", refused: undefined, trims: [], contact: undefined });
    expect(kept.properties).toBe(good);
    expect(kept.userId).toBe("0123abcd");
    expect(check({ context }).kept.context).toEqual({ ip: "truncate(11)" });
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
  ])("removes %s, and says where without repeating it", (_what, properties, left, path, reason) => {
    const { verdict, kept } = check({ properties });
    expect(kept.properties).toEqual(left);
    expect(verdict.trims).toEqual([{ path, reason }]);
    expect(verdict.refused).toBeUndefined();
  });

  it("keeps the other properties and their order", () => {
    const { kept } = check({ properties: { kind: "a", x: 1, ms: 9, ok: true, y: 2 } });
    expect(Object.keys(kept.properties ?? {})).toEqual(["kind", "ms", "ok"]);
  });

  it("replaces a number by its bucket without a trim", () => {
    expect(
      [0, 9.9, 10, 99, 1e9].map((size) => check({ properties: { size } }).kept.properties?.size),
    ).toEqual([0, 0, 10, 10, 100]);
    expect(check({ properties: { size: 55 } }).verdict.trims).toEqual([]);
  });

  it("applies policies to addresses and user agents, and reduces URLs, before it checks limits", () => {
    const url = "https://jane@host.example/path?token=x#y";
    const { verdict, kept } = check({
      properties: { text: "2001:db8::1" },
      context: { ip: "203.0.113.9", userAgent: "Mozilla/5.0", page: { url } },
      userId: "203.0.113.9",
    });
    expect(kept.properties).toEqual({ text: "truncate(11)" });
    expect(kept.context).toEqual({ ip: "truncate(11)", userAgent: "ua:family", page: { url: "/path" } });
    expect(kept.userId).toBe("truncate(11)");
    // No trim is reported for a field that is declared as an address or a user agent, because the plan says
    // what happens to it.
    expect(verdict.trims).toEqual([
      { path: "properties.text", reason: "address_reduced" },
      { path: "userId", reason: "address_reduced" },
    ]);
  });

  it.each<[IpPolicy, string, readonly string[]]>([
    ["drop", "[ip]", ["address_reduced"]],
    ["country", "[ip]", ["address_reduced"]],
    ["truncate", "4.2.0.0", ["address_reduced"]],
    ["keep", "4.2.0.17", []],
  ])(
    "under ip %s, a text like 4.2.0.17 becomes %s and its event is kept; a version is unchanged",
    (ip, left, reasons) => {
      const text = planText()
        .replace("ip: truncate", `ip: ${ip}`)
        .replace("text: { type: string,", "text: { type: string, required: true,")
        .replace(
          "code: { type: string,",
          "version: { type: string, format: version, required: true, sensitivity: technical, description: Release., example: 4.2.0.17 }\n      code: { type: string,",
        );
      const plan = compilePlan(loadPlan(text, "plan.yaml"), {
        ...redactors,
        address: (address, policy) => applyAddressPolicy(address, policy, redactors.pseudonym),
      });
      const { verdict, kept } = check({ properties: { text: "4.2.0.17", version: "4.2.0.17" } }, plan);
      expect(kept.properties).toEqual({ text: left, version: "4.2.0.17" });
      expect(verdict.trims).toEqual(reasons.map((reason) => ({ path: "properties.text", reason })));
      expect(verdict.refused).toBeUndefined();
    },
  );

  it.each([
    ["1.9.2", true],
    ["v20.11.1", true],
    ["10.0.0.1", true],
    ["2.0.0-rc.1+build.5", true],
    ["1.2.3.4.5", true],
    ["9", true],
    ["", false],
    ["latest", false],
    ["1.2 from ada", false],
    ["1@host.example", false],
    ["2001:db8::1", false],
    ["1%402", false],
    ["\uFF11.2", false],
    [`1.${"0".repeat(255)}`, false],
  ])("accepts %j as a version: %s", (version, isVersion) => {
    const about = "sensitivity: technical, description: Release., example: 1.9.2";
    const plan = compilePlan(
      loadPlan(
        planText().replace("code: {", `version: { type: string, format: version, ${about} }\n      code: {`),
        "plan.yaml",
      ),
      redactors,
    );
    const { verdict, kept } = check({ properties: { version } }, plan);
    expect(kept.properties).toEqual(isVersion ? { version } : {});
    expect(verdict.trims).toHaveLength(isVersion ? 0 : 1);
  });

  it("hashes a received hash once more, because it may have been made without a key", () => {
    const hash = "f".repeat(64);
    const { verdict, kept } = check(
      {
        event: "Hashed",
        properties: { who: hash, team: { members: [hash, "0".repeat(32)] } },
        context: { user: hash },
        userId: hash,
        anonymousId: "abc",
      },
      compiled,
      "client",
    );
    expect(kept).toMatchObject({
      properties: { who: "hash(64)", team: { members: ["hash(64)", "hash(32)"] } },
      context: { user: "hash(64)" },
      userId: "hash(64)",
      anonymousId: "abc",
    });
    expect(verdict.trims).toEqual([]);
    expect(check({ properties: { user: hash } }, observing).kept.properties).toEqual({ user: "hash(64)" });
  });

  it("replaces ids that do not have the declared form by their keyed hashes", () => {
    const { verdict, kept } = check({ userId: "jane@example.org", anonymousId: "0123abcd" });
    expect([kept.userId, kept.anonymousId]).toEqual(["hash(16)", "hash(8)"]);
    expect(verdict.trims).toEqual([
      { path: "userId", reason: "id_replaced" },
      { path: "anonymousId", reason: "id_replaced" },
    ]);
  });

  it("removes undeclared parts: traits of a track, category, name, integrations, context", () => {
    const { verdict, kept } = check({
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
    expect(verdict.trims.map(({ path }) => path)).toEqual([
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
      "a type that is not in the plan",
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
  ])("drops %s", (_what, message, event, refused) => {
    expect(check(message).verdict).toMatchObject({ event, refused });
  });

  it("recognises identify by its type, whatever name it contains", () => {
    const { verdict, kept } = check({
      type: "identify",
      event: undefined,
      name: "x",
      traits: { role: "admin" },
    });
    expect(verdict).toMatchObject({ event: "identify", refused: undefined });
    expect([kept.traits, kept.name]).toEqual([{ role: "admin" }, undefined]);
  });

  it("takes a contact out of the message, with the fields that are kept with it", () => {
    const properties = { os: "ubuntu", email: "jane@example.org", x: 1 };
    const { verdict, kept } = check({ event: "Help", properties });
    expect(verdict.contact).toEqual({ contact: "jane@example.org", about: { os: "ubuntu" } });
    expect(kept.properties).toEqual({ os: "ubuntu" });
    expect(check({ event: "Help", properties: { email: "no address" } }).verdict.contact).toBeUndefined();
  });

  it("notes undeclared names once per message, however many there are", () => {
    const properties = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`p${n}`, n]));
    expect(check({ properties }).verdict.trims).toEqual([{ path: "properties.*", reason: "undeclared" }]);
  });
});

describe("a compiled plan with a keyed hash, as an SDK has it", () => {
  const hashing = { ...redactors, keyedHash: (value: string) => `keyed(${value.length})` };
  const sdk = compilePlan(loadPlan(planText(), "plan.yaml"), hashing);
  const observingSdk = compilePlan(loadPlan(planText("observe"), "plan.yaml"), hashing);

  it.each(["jane@example.org", "10.0.0.1", "", "f".repeat(64), "é".repeat(1024)])(
    "replaces %j wherever a hash belongs, and says nothing of it",
    (who) => {
      const { verdict, kept } = check(
        {
          event: "Hashed",
          properties: { who, team: { members: [who] } },
          context: { user: who },
          userId: who,
          anonymousId: "abc",
        },
        sdk,
        "client",
      );
      const hash = `keyed(${who.length})`;
      expect(kept).toMatchObject({
        properties: { who: hash, team: { members: [hash] } },
        context: { user: hash },
        userId: hash,
        anonymousId: "abc",
      });
      expect(verdict).toEqual({ event: "track Hashed", refused: undefined, trims: [], contact: undefined });
    },
  );

  it.each<[string, unknown, string]>([
    ["a text that is too long", "x".repeat(1025), "too_long"],
    ["what is no text", ["jane"], "wrong_type"],
  ])("removes %s, even if the source observes", (_what, user, reason) => {
    const properties = JSON.parse(JSON.stringify({ user }));
    for (const plan of [sdk, observingSdk]) {
      const { verdict, kept } = check({ properties }, plan);
      expect(kept.properties).toEqual({});
      expect(verdict.trims).toEqual([{ path: "properties.user", reason }]);
    }
  });

  it("drops an event whose required value is too long to be hashed", () => {
    const message = { event: "Hashed", properties: { who: "x".repeat(1025) } };
    expect(check(message, sdk).verdict.refused).toBe("required_missing");
  });

  it("removes an id that is too long or undeclared, and replaces one of another form", () => {
    const ids = { userId: "x".repeat(1025), anonymousId: "ABC", groupId: "g" };
    const { verdict, kept } = check({ event: "Clicked", ...ids }, sdk, "client");
    expect([kept.userId, kept.anonymousId, kept.groupId]).toEqual([undefined, "hash(3)", undefined]);
    expect(verdict.trims).toEqual([
      { path: "userId", reason: "too_long" },
      { path: "anonymousId", reason: "id_replaced" },
      { path: "groupId", reason: "undeclared" },
    ]);
  });
});

describe("looking for an event", () => {
  it("finds an event that a source may send, by type and name", () => {
    const { events } = compiled.plan;
    const [hashed, identify] = ["track", "identify"].map((type) =>
      events.find((event) => event.type === type && [undefined, "Hashed"].includes(event.name)),
    );
    expect(compiled.find("server", "track", "Hashed")).toBe(hashed);
    expect(compiled.find("server", "identify", "whatever")).toBe(identify);
    expect(compiled.find("server", "track", "Past")?.expires).toBe("2026-05-01");
    expect([hashed, identify].map((event) => event?.since)).toEqual([2, 2]);
  });

  it.each<[string, PlanSourceName, "track" | "page", string | undefined]>([
    ["another source's", "server", "track", "Clicked"],
    ["one of another type", "server", "page", "Ran"],
    ["one of no name", "server", "track", undefined],
    ["one that is not declared", "server", "track", "toString"],
    ["one of a source that is not declared", "installer", "track", "Ran"],
  ])("finds nothing for %s", (_what, source, type, name) => {
    expect(compiled.find(source, type, name)).toBeUndefined();
  });

  it("knows the consent rule under which each source sends it", () => {
    const { plan } = compiled;
    const rules = ["Hashed", "Clicked"].map((name) => {
      const event = plan.events.find((one) => one.name === name);
      return event && PLAN_SOURCES.map((source) => consentOf(plan, source, event));
    });
    expect(rules).toEqual([
      ["opt-in", "opt-in", "opt-in"],
      ["opt-in", "notice", "notice"],
    ]);
  });
});

test("a plan that was written as JSON and read again gives the same verdicts", () => {
  const plan: Plan = JSON.parse(JSON.stringify(compiled.plan));
  const read = compilePlan(plan, redactors);
  const messages: Partial<CheckedMessage>[] = [
    { properties: { ...GOOD, text: "to a@b.org", code: "x", tags: ["z"], more: 1 }, userId: "0123abcd" },
    { context: { ip: "203.0.113.9", page: { url: "https://h.example/a?b" }, x: 1 }, userId: "jane" },
    { event: "Help", properties: { os: "ubuntu", email: "jane@example.org" } },
    { event: "Needs" },
    { event: "Past" },
    { event: "Clicked" },
    { type: "identify", event: undefined, traits: { role: "admin" } },
  ];
  for (const message of messages) {
    expect(check(structuredClone(message), read)).toEqual(check(structuredClone(message)));
  }
});

describe("a plan that observes", () => {
  it("keeps and notes what is not declared, except for addresses", () => {
    const { verdict, kept } = check(
      { properties: { ms: "x", more: { at: "10.0.0.1", mail: "a@b.org", "c@d.org": 1 } }, userId: "someone" },
      observing,
    );
    expect(kept.properties).toEqual({ ms: "x", more: { at: "truncate(8)", mail: "[email]", "[email]": 1 } });
    expect(kept.userId).toBe("someone");
    expect(verdict).toMatchObject({ event: "track Ran", refused: undefined });
    expect(verdict.trims.map(({ path }) => path)).toEqual(["properties.ms", "properties.*"]);
  });

  it("keeps an event that is not in the plan, without addresses", () => {
    const { verdict, kept } = check(
      { event: "New", properties: { a: "x@y.org" }, userId: "x@y.org" },
      observing,
    );
    expect([kept.event, kept.properties, kept.userId]).toEqual(["New", { a: "[email]" }, "hash(7)"]);
    expect(verdict).toMatchObject({ event: "*", refused: undefined });
  });
});
