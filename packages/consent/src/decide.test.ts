import fc from "fast-check";
import { expect, test } from "vitest";
import { type Decision, decide } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { type ConsentRecord, writeConsentRecord } from "./receipts.ts";

const DISABLE = "ACME_DISABLE_TELEMETRY";
const ALSO_DISABLE = "ACME_NO_TELEMETRY";
const OPT_IN = "ACME_CLIENT_TELEMETRY";
const MODE = "ACME_TELEMETRY";
const HASHES = ["a".repeat(64), "b".repeat(64)] as const;

const word = fc.constantFrom("", "0", "1", "true", " FALSE ", "off", '"yes"', "no", "log", "?");
const environment = fc.dictionary(
  fc.constantFrom(DISABLE, ALSO_DISABLE, OPT_IN, MODE, "DO_NOT_TRACK", "CI", "PATH"),
  fc.oneof(word, fc.string()),
  { maxKeys: 3 },
);

const receipt: fc.Arbitrary<ConsentRecord> = fc.record({
  source: fc.constantFrom("installer", "server", "client"),
  answer: fc.constantFrom("yes", "yes", "notice", "no"),
  time: fc.constant("2026-11-23T12:00:00.000Z"),
  planVersion: fc.integer({ min: 1, max: 4 }),
  planHash: fc.constantFrom(...HASHES),
  by: fc.constantFrom("installer", "inspector", "environment", "product"),
});
const receipts = fc.array(receipt, { maxLength: 4 }).map((all) => all.map(writeConsentRecord).join(""));

const policy = fc.constantFrom(
  undefined,
  undefined,
  "",
  "# nothing\n",
  "off other\n",
  "off acme",
  "on",
  null,
);
const signals = fc.record(
  {
    globalPrivacyControl: fc.constantFrom<unknown>(true, false, "true", null, {}),
    doNotTrack: fc.constantFrom<unknown>("1", "0", 1, null, "unspecified"),
    secGpc: fc.constantFrom("1", "0", "1 ", ""),
    dnt: fc.constantFrom("1", "0", " 1", ""),
  },
  { requiredKeys: [] },
);

const facts: fc.Arbitrary<Facts> = fc.record({
  product: fc.constantFrom("Acme", "Acme Desk"),
  switches: fc.record({
    disable: fc.constantFrom([DISABLE], [DISABLE, ALSO_DISABLE]),
    optIn: fc.constantFrom(OPT_IN, OPT_IN, undefined),
    mode: fc.constant(MODE),
  }),
  environment,
  policy,
  receipts: fc.oneof({ weight: 6, arbitrary: receipts }, fc.constantFrom(undefined, null, "what\n")),
  source: fc.constantFrom("installer", "server", "client"),
  rule: fc.constantFrom("notice", "opt-in"),
  plan: fc.record({ version: fc.integer({ min: 1, max: 4 }), hash: fc.constantFrom(...HASHES) }),
  signals: fc.option(signals, { nil: undefined }),
  allowed: fc.constantFrom(undefined, true),
});

const withVariable =
  (name: string, ...values: readonly [string, ...string[]]) =>
  (before: Facts): Facts[] =>
    values.map((value) => ({ ...before, environment: { ...before.environment, [name]: value } }));

/**
 * Each way to turn telemetry off: returns variants of the given facts that must be denied, or no variant if
 * it does not apply to them.
 */
const REFUSALS: { readonly [what: string]: (before: Facts) => Facts[] } = {
  "the product's switch": withVariable(DISABLE, "1", "true", " YES ", "on", "whatever"),
  "another name of the switch": (before) =>
    before.switches.disable.includes(ALSO_DISABLE) ? withVariable(ALSO_DISABLE, "1", "true")(before) : [],
  "the mode off": withVariable(MODE, "off", "0", "No", "false"),
  "the mode log": withVariable(MODE, "log", "LOG"),
  DO_NOT_TRACK: withVariable("DO_NOT_TRACK", "1", "true", "off"),
  "CI, for an installer": (before) =>
    before.source === "installer" ? withVariable("CI", "true", "1")(before) : [],
  "a No to opting in": (before) =>
    before.rule === "opt-in" && before.switches.optIn === OPT_IN
      ? withVariable(OPT_IN, "0", "false", "NO", "off")(before)
      : [],
  "a browser's signal, for a client": (before) =>
    before.source !== "client"
      ? []
      : [{ globalPrivacyControl: true }, { secGpc: "1" }, { doNotTrack: "1" }, { dnt: "1" }].map((more) => ({
          ...before,
          signals: { ...before.signals, ...more },
        })),
  "a policy": (before) =>
    ["off", `off ${before.product}`, "else", null].map((more) => ({
      ...before,
      policy: more === null ? null : `${before.policy ?? ""}\n${more}\n`,
    })),
  "the product's own setting": (before) => [false, null].map((allowed) => ({ ...before, allowed })),
  "a stored No": (before) => [
    {
      ...before,
      receipts:
        (before.receipts ?? "") +
        writeConsentRecord({
          source: before.source,
          answer: "no",
          time: "2026-11-24T12:00:00.000Z",
          planVersion: 1,
          planHash: HASHES[0],
          by: "inspector",
        }),
    },
  ],
  "malformed receipts": (before) => [
    { ...before, receipts: null },
    { ...before, receipts: `${before.receipts ?? ""}{"source":` },
  ],
};

test.each(Object.entries(REFUSALS))("%s denies, whatever the other facts are", (_, refuse) => {
  let turned = 0;
  fc.assert(
    fc.property(facts, (before) => {
      for (const after of refuse(before)) {
        if (decide(before).allow) turned += 1;
        expect(decide(after)).toMatchObject({ allow: false });
      }
    }),
    { numRuns: 1000 },
  );
  // At least one case was allowed before, so the property was not satisfied by denials alone.
  expect(turned).toBeGreaterThan(0);
});

test.each(["DO_NOT_TRACK", "CI", MODE])("%s never enables, whatever its value", (name) => {
  fc.assert(
    fc.property(facts, fc.oneof(word, fc.string()), (before, value) => {
      const { [name]: _, ...environmentWithout } = before.environment;
      const without = decide({ ...before, environment: environmentWithout });
      const [set] = withVariable(name, value)(before);
      const decision = set && decide(set);
      if (decision?.allow) expect(decision).toEqual(without);
    }),
    { numRuns: 3000 },
  );
});

test("nothing is allowed without an answer, an offered switch or a Yes in the environment", () => {
  const seen = new Set<Decision["reason"]>();
  fc.assert(
    fc.property(facts, (bare) => {
      const { [DISABLE]: _, [ALSO_DISABLE]: __, [OPT_IN]: ___, ...others } = bare.environment;
      const withoutVariables: Facts = { ...bare, environment: others };
      seen.add(decide(withoutVariables).reason);
      expect(decide({ ...withoutVariables, receipts: undefined })).toMatchObject({ allow: false });
    }),
    { numRuns: 3000 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["consented", "notice_shown"]));
});

test("a consent never covers more than the plan in force", () => {
  fc.assert(
    fc.property(facts, (given) => {
      const decision = decide(given);
      if (decision.allow) expect(decision.coversVersion).toBeLessThanOrEqual(given.plan.version);
    }),
    { numRuns: 3000 },
  );
});

test("the answers of other sources do not matter", () => {
  fc.assert(
    fc.property(facts, fc.array(receipt), (given, more) => {
      if (typeof given.receipts !== "string") return;
      const foreign = more.filter(({ source }) => source !== given.source).map(writeConsentRecord);
      expect(decide({ ...given, receipts: given.receipts + foreign.join("") })).toEqual(decide(given));
    }),
  );
});

test("any text in any fact leads to a decision and never throws", () => {
  const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString"));
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "off\n", "[".repeat(20_000)),
  );
  const maybeText = fc.oneof(text, fc.constantFrom(undefined, null));
  const wild: fc.Arbitrary<Facts> = fc.record({
    product: text,
    switches: fc.record({ disable: fc.array(name), optIn: fc.option(name, { nil: undefined }), mode: name }),
    environment: fc.dictionary(name, text),
    policy: maybeText,
    receipts: maybeText,
    source: fc.constantFrom("installer", "server", "client"),
    rule: fc.constantFrom("notice", "opt-in"),
    plan: fc.record({ version: fc.double(), hash: text }),
    signals: fc.record({
      globalPrivacyControl: fc.anything(),
      doNotTrack: fc.anything(),
      secGpc: text,
      dnt: text,
    }),
  });
  fc.assert(
    fc.property(wild, (given) => {
      expect(["boolean", "string"]).toEqual([typeof decide(given).allow, typeof decide(given).reason]);
    }),
    { numRuns: 2000 },
  );
});

test("a name that every object inherits does not count as a set variable", () => {
  const given: Facts = {
    product: "Acme",
    switches: { disable: ["constructor"], optIn: "toString", mode: "valueOf" },
    environment: {},
    policy: undefined,
    receipts: undefined,
    source: "server",
    rule: "notice",
    plan: { version: 1, hash: HASHES[0] },
  };
  expect(decide(given)).toEqual({ allow: false, reason: "notice_missing" });
  expect(decide({ ...given, rule: "opt-in" })).toEqual({ allow: false, reason: "consent_missing" });
});
