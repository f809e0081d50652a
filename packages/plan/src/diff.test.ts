import { describe, expect, test } from "vitest";
import { checkNewVersion, diffPlans } from "./diff.ts";
import { type Edit, editExample } from "./example-plan.ts";
import { loadPlan } from "./load.ts";

function planWith(...edits: readonly Edit[]) {
  return loadPlan(editExample(...edits), "plan.yaml");
}

const OS = "event track Installation Failed: properties.os";
const MEMORY = "event track Installation Failed: properties.freeMemoryMb";
const EMAIL = "event track Installation Failed: properties.email";
const FILTERS = "event track SEARCH_CLICK: properties.filters";
const PAGE = "source client: context.page.path";
const ACCOUNT = "event identify: traits.account";

const OS_ENUM = "        enum: [debian, ubuntu, other]\n";
const BUCKETS = "        buckets: [0, 512, 1024, 4096]\n";
const RANGE = `        minimum: 0\n${BUCKETS}`;
const EXPIRES = '    expires: "2027-01-15"\n';
const FREE_TEXT = "            format: url\n";
const PATTERN = '        pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"\n';
const KEPT = "        kept_with: [os]\n";
const SECOND_SOURCE = "  client:\n    description: Kitchen in the browser.";
const SERVER = "  server:\n    description: The server.\n    consent: notice\n    retention_days: 30\n";
const NEW_FIELD =
  "      cpus:\n        type: integer\n        sensitivity: technical\n        description: Processors.\n        example: 2\n";

/** Edits of the example plan, and the difference that each must cause in one direction and in the other. */
const CHANGES: readonly (readonly [
  from: string,
  to: string,
  where: string,
  there: readonly [kind: string, text: string],
  back: readonly [kind: string, text: string],
])[] = [
  [
    SECOND_SOURCE,
    `${SERVER}${SECOND_SOURCE}`,
    "source server",
    ["newly_collected", "The source is new."],
    ["less", "The source is gone."],
  ],
  [
    "source: [client]\n    since: 2",
    "source: [client, installer]\n    since: 2",
    "event track SEARCH_CLICK",
    ["newly_collected", "The source installer may send it too."],
    ["less", "The source installer may no longer send it."],
  ],
  [
    "name: SEARCH_CLICK",
    "name: SEARCH_CLICKED",
    "event track SEARCH_CLICKED",
    ["newly_collected", "The event is new."],
    ["less", "The event is no longer collected."],
  ],
  [
    "      email:\n",
    `${NEW_FIELD}      email:\n`,
    "event track Installation Failed: properties.cpus",
    ["newly_collected", "The field is new."],
    ["less", "The field is no longer collected."],
  ],
  [
    "      page:\n",
    `${NEW_FIELD}      page:\n`,
    "source client: context.cpus",
    ["newly_collected", "The field is new."],
    ["less", "The field is no longer collected."],
  ],
  [
    "    ids:\n",
    `    ids:\n      groupId:\n${PATTERN}        type: string\n        sensitivity: technical\n        description: Random.\n        example: 0b62ab60-02ad-4f69-a181-d9c5eb2f97fa\n`,
    "source client: groupId",
    ["newly_collected", "The field is new."],
    ["less", "The field is no longer collected."],
  ],
  [
    FREE_TEXT,
    `${FREE_TEXT}            max_length: 300\n`,
    PAGE,
    ["newly_collected", "It takes 300 characters instead of 256."],
    ["less", "It takes 256 characters instead of 300."],
  ],
  [
    FREE_TEXT,
    "",
    PAGE,
    ["newly_collected", "Its format is `text` instead of `url`."],
    ["less", "Its format is `url` instead of `text`."],
  ],
  [
    "[debian, ubuntu, other]",
    "[debian, ubuntu, alpine, other]",
    OS,
    ["newly_collected", "It takes more values: `alpine`."],
    ["less", "It takes fewer values, without `alpine`."],
  ],
  [
    "enum: [quick, vegan, cheap]",
    "max_length: 20",
    FILTERS,
    ["newly_collected", "It is no longer limited to the values of a list."],
    ["less", "It takes the values of a list now."],
  ],
  [
    "enum: [quick, vegan, cheap]",
    'pattern: "[a-z]+"',
    FILTERS,
    ["newly_collected", "It is no longer limited to the values of a list."],
    ["less", "It takes the values of a list now."],
  ],
  [
    "max_items: 3",
    "max_items: 5",
    FILTERS,
    ["newly_collected", "It takes 5 items instead of 3."],
    ["less", "It takes 3 items instead of 5."],
  ],
  [
    RANGE,
    "        minimum: -5\n",
    MEMORY,
    ["newly_collected", "Its range is wider."],
    ["less", "Its range is narrower."],
  ],
  [
    BUCKETS,
    "",
    MEMORY,
    ["newly_collected", "Exact numbers are kept, no longer buckets."],
    ["less", "Buckets are kept instead of exact numbers."],
  ],
  [
    "[0, 512, 1024, 4096]",
    "[0, 256, 512, 1024, 4096]",
    MEMORY,
    ["newly_collected", "Its buckets differ."],
    ["less", "Its buckets are coarser."],
  ],
  [
    `integer\n${RANGE}`,
    `number\n${RANGE}`,
    MEMORY,
    ["newly_collected", "Its type is number instead of integer."],
    ["less", "Its type is integer instead of number."],
  ],
  [
    "        sensitivity: interaction\n        description: Which",
    "        sensitivity: content\n        exception: For once.\n        description: Which",
    FILTERS,
    ["more_sensitive", "It is `content` instead of `interaction`."],
    ["other", "It is `interaction` instead of `content`."],
  ],
  [
    "        hash: true\n",
    "",
    ACCOUNT,
    ["more_sensitive", "It is no longer hashed."],
    ["less", "It is hashed now."],
  ],
  [
    KEPT,
    "        kept_with: []\n",
    EMAIL,
    ["less", "Less is kept beside the contact, without os."],
    ["more_sensitive", "More is kept beside the contact: os."],
  ],
  [
    "ip: country",
    "ip: truncate",
    "source installer",
    ["more_sensitive", "The IP policy is `truncate` instead of `country`."],
    ["less", "The IP policy is `country` instead of `truncate`."],
  ],
  [
    "user_agent: drop",
    "user_agent: keep",
    "source installer",
    ["more_sensitive", "The user agent policy is `keep` instead of `drop`."],
    ["less", "The user agent policy is `drop` instead of `keep`."],
  ],
  [
    "    ip: country",
    "    mode: observe\n    ip: country",
    "source installer",
    ["more_sensitive", "The mode is `observe` instead of `enforce`."],
    ["less", "The mode is `enforce` instead of `observe`."],
  ],
  [
    "  - Recipes, names and pictures are never collected.",
    "  - Recipes, names and pictures are never collected.\n  - Nothing is sold.",
    "plan",
    ["other", "A promise is new: Nothing is sold."],
    ["more_sensitive", "A promise is gone: Nothing is sold."],
  ],
  [
    "retention_days: 365",
    "retention_days: 400",
    "source client",
    ["kept_longer", "Its events are kept for 400 days instead of 365."],
    ["less", "Its events are kept for 365 days instead of 400."],
  ],
  [
    "contacts:\n  retention_days: 30",
    "contacts:\n  retention_days: 31",
    "plan",
    ["kept_longer", "Contacts are kept for 31 days instead of 30."],
    ["less", "Contacts are kept for 30 days instead of 31."],
  ],
  [
    EXPIRES,
    `${EXPIRES}    max_per_minute: 2000\n`,
    "event track Installation Failed",
    ["newly_collected", "A process sends at most 2000 a minute instead of 1000."],
    ["less", "A process sends at most 1000 a minute instead of 2000."],
  ],
  [
    EXPIRES,
    "",
    "event track Installation Failed",
    ["kept_longer", "It expires later: never instead of 2027-01-15."],
    ["less", "It expires earlier: 2027-01-15 instead of never."],
  ],
  [
    "consent: opt-in",
    "consent: notice",
    "source client",
    ["consent_weaker", "The consent rule is `notice` instead of `opt-in`."],
    ["less", "The consent rule is `opt-in` instead of `notice`."],
  ],
  [
    "  - type: identify\n",
    "  - type: identify\n    consent: notice\n",
    "event identify from client",
    ["consent_weaker", "The consent rule is `notice` instead of `opt-in`."],
    ["less", "The consent rule is `opt-in` instead of `notice`."],
  ],
  [
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: KITCHEN_NO_TELEMETRY",
    "plan",
    ["consent_weaker", "`KITCHEN_DISABLE_TELEMETRY` no longer turns everything off."],
    ["consent_weaker", "`KITCHEN_NO_TELEMETRY` no longer turns everything off."],
  ],
  [
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: [KITCHEN_DISABLE_TELEMETRY, KITCHEN_OFF]",
    "plan",
    ["other", "Changed: `disable`."],
    ["consent_weaker", "`KITCHEN_OFF` no longer turns everything off."],
  ],
  [
    "about: Kitchen is",
    "about: The Kitchen is",
    "plan",
    ["other", "Changed: `about`."],
    ["other", "Changed: `about`."],
  ],
  [
    "required: true",
    "required: false",
    OS,
    ["other", "Changed: `required`."],
    ["other", "Changed: `required`."],
  ],
  [
    "owner: recipes team",
    "owner: search team",
    "event track SEARCH_CLICK",
    ["other", "Changed: `owner`."],
    ["other", "Changed: `owner`."],
  ],
];

describe("a change is named by what it means for people, in both directions", () => {
  const cases = CHANGES.map(([from, to, where, there, back]) => ({ from, to, where, there, back }));
  test.each(cases)("$where: $there.1", ({ from, to, where, there, back }) => {
    const older = planWith();
    const newer = planWith([from, to]);
    const show = (differences: ReturnType<typeof diffPlans>) =>
      differences.map((difference) => [difference.where, difference.kind, difference.text]);
    expect(show(diffPlans(older, newer))).toContainEqual([where, ...there]);
    expect(show(diffPlans(newer, older))).toContainEqual([where, ...back]);
  });
});

test("a plan does not differ from itself", () => {
  expect(diffPlans(planWith(), planWith())).toEqual([]);
});

test("what cannot be compared counts as newly collected", () => {
  const older = planWith();
  const kinds = (newer: typeof older) => diffPlans(older, newer).map(({ kind, text }) => [kind, text]);
  expect(kinds(planWith(["[0-9a-f]{12}", "[0-9a-f]{12}|none"]))).toEqual([
    ["newly_collected", "It must match another pattern."],
  ]);
  expect(kinds(planWith([`integer\n${RANGE}`, "string\n"], ["example: 1024", "example: much"]))).toEqual([
    ["newly_collected", "Its type is string instead of integer."],
    ["other", "Changed: `example`."],
  ]);
  expect(
    kinds(
      planWith(
        [OS_ENUM, "        hash: true\n"],
        ["example: debian", `example: ${"a".repeat(32)}`],
        [KEPT, ""],
      ),
    ),
  ).toEqual([
    ["newly_collected", "It is hashed now."],
    ["other", "Changed: `example`."],
    ["less", "Less is kept beside the contact, without os."],
  ]);
});

test("all changes except those of texts need a new version", () => {
  const newer = planWith(
    ["      email:\n", `${NEW_FIELD}      email:\n`],
    ["ip: country", "ip: keep"],
    ["retention_days: 365", "retention_days: 400"],
    ["consent: opt-in", "consent: notice"],
    ["user_agent: drop\n    retention_days: 90", "user_agent: drop\n    retention_days: 80"],
    ["about: Kitchen is", "about: The Kitchen is"],
  );
  const needs = diffPlans(planWith(), newer).map(({ kind, needsNewVersion }) => [kind, needsNewVersion]);
  expect(Object.fromEntries(needs as [string, boolean][])).toEqual({
    newly_collected: true,
    more_sensitive: true,
    kept_longer: true,
    consent_weaker: true,
    less: true,
    other: false,
  });
});

test.each([
  ["required: true", "required: false", true],
  ["        minimum: 0\n", "        minimum: 0\n        since: 2\n", true],
  ["    since: 2", "    since: 1", true],
  ["        sensitivity: interaction\n", "        sensitivity: technical\n", true],
  ["example: debian", "example: ubuntu", false],
  ["            column: true\n", "", false],
  ["other]\n", "other]\n        fact: true\n", false],
  ["other]\n", "other]\n        dimension: true\n", false],
  ["        buckets:", "        measure: duration\n        buckets:", false],
])("if %j becomes %j, a new version is needed: %s", (from, to, isNeeded) => {
  const differences = diffPlans(planWith(), planWith([from, to]));
  const needs = new Set(differences.map(({ kind, needsNewVersion }) => `${kind}: ${needsNewVersion}`));
  expect([...needs]).toEqual([`other: ${isNeeded}`]);
});

describe("the version must show what people were not asked about", () => {
  const VERSION = ["version: 2\nabout", "version: 3\nabout"] as const;
  const ENTRY = [
    "changelog:\n",
    "changelog:\n  - version: 3\n    date: 2026-06-01\n    text: Processors.\n",
  ] as const;
  const FIELD = ["      email:\n", `${NEW_FIELD}      email:\n`] as const;
  const WRITE_3 =
    "Write `version: 3` and add it to `changelog`: consents for version 2 were given for something else.";
  const NEW_SINCE = ["      email:\n", `${NEW_FIELD}        since: 3\n      email:\n`] as const;

  test.each([
    ["nothing changed", planWith(), undefined],
    ["texts changed", planWith(["about: Kitchen is", "about: The Kitchen is"]), undefined],
    [
      "less is collected",
      planWith([BUCKETS, "        buckets: [0, 4096]\n"]),
      `The plan's version must grow: ${MEMORY}: Its buckets are coarser. ${WRITE_3}`,
    ],
    [
      "a limit changed that no difference reports",
      planWith([OS_ENUM, `${OS_ENUM}        max_length: 9\n`]),
      `The plan's version must grow: what is collected has another hash. ${WRITE_3}`,
    ],
    [
      "less is collected, in a new version",
      planWith(VERSION, ENTRY, [BUCKETS, "        buckets: [0, 4096]\n"]),
      undefined,
    ],
    [
      "a field is new, but the version is not",
      planWith(FIELD),
      `The plan's version must grow: event track Installation Failed: properties.cpus: The field is new. ${WRITE_3}`,
    ],
    [
      "two things grew, but the version did not",
      planWith(["ip: country", "ip: keep"], ["user_agent: drop", "user_agent: keep"]),
      `The plan's version must grow: source installer: The IP policy is \`keep\` instead of \`country\`. (and 1 more) ${WRITE_3}`,
    ],
    [
      "a field is new, but its `since` is old",
      planWith(VERSION, ENTRY, FIELD),
      "event track Installation Failed: properties.cpus: The field is new. But its `since` is 1, so an old consent would cover it. Write `since: 3`.",
    ],
    ["a field is new and says so", planWith(VERSION, ENTRY, NEW_SINCE), undefined],
  ])("%s", (_name, newer, sentence) => {
    expect(checkNewVersion(planWith(), newer)).toBe(sentence);
  });

  test("the version decreased", () => {
    expect(checkNewVersion(planWith(VERSION, ENTRY), planWith())).toBe(
      "The plan's version fell from 3 to 2. Write 3 or more.",
    );
  });
});
