import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EXAMPLE_PLAN, editExample } from "./example-plan.ts";
import { loadPlan } from "./load.ts";
import { PlanError, type PlanFault } from "./plan-error.ts";

function faultsOf(text: string): readonly PlanFault[] {
  try {
    loadPlan(text, "plan.yaml");
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.faults;
    throw error;
  }
}

function edit(from: string, to: string): string {
  return editExample([from, to]);
}

const OS = "        enum: [debian, ubuntu, other]\n";
const MEMORY = "        buckets: [0, 512, 1024, 4096]\n";
const PAGE = "        description: Where it happened.\n";
const PATH = "            format: url\n";
const ID = "        description: Random, made in the browser after the Yes.\n";
const EMAIL = "        format: email\n";
const ITEMS = "        max_items: 3\n";
const HASH = "        hash: true\n";
/** Fields whose patterns are each cheap enough, but together too expensive. */
const DEAR_FIELDS = [..."abcdefgh"]
  .map(
    (name) =>
      `      ${name}: { type: string, pattern: ".*.*${name}", sensitivity: technical, description: Any text., example: ${name} }\n`,
  )
  .join("");

/** Edits of the example plan and the faults that result: position, path, and part of the message. */
const BROKEN: readonly (readonly [
  name: string,
  from: string,
  to: string,
  ...faults: [string, string, string][],
])[] = [
  ["an unknown key at the top", "about: K", "abuot: K", ["4:1", "abuot", "Did you mean `about`?"]],
  [
    "an unknown key that resembles no other",
    "contacts:",
    "colour: red\ncontacts:",
    ["12:1", "colour", "Remove it, or write one of `product`, `contact`, `version`,"],
  ],
  [
    "another spelling of a key",
    ITEMS,
    "        maxItems: 3\n",
    ["104:9", "events[1].properties.filters.maxItems", "Did you mean `max_items`?"],
  ],
  ["a missing key at the top", "product: Kitchen\n", "", ["1:1", "product", "The product's name."]],
  [
    "a missing key of an event",
    "    why: Shows whether search is used at all.\n",
    "",
    ["91:5", "events[1].why", "What decision it serves."],
  ],
  [
    "a value that is not in the list of values",
    "consent: opt-in",
    "consent: opt_in",
    ["31:14", "sources.client.consent", "Write one of `notice`, `opt-in`."],
  ],
  [
    "a value that resembles none in the list",
    "type: identify",
    "type: login",
    ["108:11", "events[2].type", "Write one of `track`, `identify`, `page`, `screen`, `group`, `alias`."],
  ],
  [
    "text instead of a number",
    "retention_days: 365",
    "retention_days: a year",
    ["32:21", "sources.client.retention_days", "Write a whole number."],
  ],
  [
    "a number instead of text",
    "product: Kitchen",
    "product: 7",
    ["1:10", "product", "Write text, in quotes."],
  ],
  [
    "a number instead of true or false",
    "column: true",
    "column: 1",
    ["50:21", "sources.client.context.page.fields.path.column", "Write true or false."],
  ],
  [
    "an empty value",
    "about: Kitchen is software that you host. This is all that it tells its makers.",
    "about:",
    ["4:1", "about", "Write text."],
  ],
  [
    "text instead of a list",
    "source: [installer]",
    "source: installer",
    ["62:13", "events[0].source", "Write a list, each item on a line of its own after `- `."],
  ],
  [
    "a list instead of a block",
    "contacts:\n  retention_days: 30",
    "contacts: [30]",
    ["12:11", "contacts", "Write a block of keys."],
  ],
  [
    "an empty list",
    "promises:\n  - Recipes, names and pictures are never collected.",
    "promises: []",
    ["5:11", "promises", "Write at least 1 item."],
  ],
  [
    "a number out of range",
    "retention_days: 365",
    "retention_days: 9000",
    ["32:21", "sources.client.retention_days", "Write a number from 1 to 3650."],
  ],
  [
    "a review that is not a URL",
    "review: https://kitchen.example/telemetry/2",
    "review: see wiki",
    [
      "97:13",
      "events[1].review",
      "This must look like `https://github.com/example/product/pull/12`. An absolute URL of where",
    ],
  ],
  [
    "a text that is too short",
    "owner: installer team",
    "owner: x",
    ["65:12", "events[0].owner", "Write at least 2 characters."],
  ],
  [
    "a field's name with a dot",
    "      os:\n",
    "      os.name:\n",
    ["69:7", 'events[0].properties["os.name"]', "Write 1 to 64 letters, digits, `_`, `-`, `$` or blanks,"],
    [
      "90:21",
      "events[0].properties.email.kept_with[0]",
      "Write one of `os.name`, `freeMemoryMb`, or remove it.",
    ],
  ],
  [
    "a field named `__proto__`",
    "      freeMemoryMb:\n",
    "      __proto__:\n",
    ["77:7", "events[0].properties.__proto__", "Write 1 to 64 letters, digits, `_`, `-`, `$` or blanks,"],
  ],
  [
    "a duplicate key",
    "    owner: installer team\n",
    "    owner: installer team\n    owner: me\n",
    ["66:5", "events[0].owner", "Remove one of the two."],
  ],
  [
    "a merge key",
    ITEMS,
    "        <<: {max_items: 3}\n",
    ["104:9", 'events[1].properties.filters["<<"]', "Write the keys out."],
  ],
  [
    "an alias without an anchor",
    "        sensitivity: interaction\n        description: Which",
    "        sensitivity: *nothing\n        description: Which",
    ["105:22", "events[1].properties.filters.sensitivity", "Write the anchor (`&name`) first."],
  ],
  [
    "an unknown tag",
    "product: Kitchen",
    "product: !name Kitchen",
    ["1:10", "plan", "Write the value without a tag."],
  ],
  [
    "a second document",
    "\nsources:",
    "\n---\nsources:",
    ["22:1", "plan", "Write one plan in a file, without `---` between parts."],
  ],
  [
    "a tab as indent",
    "    owner: installer team",
    "\towner: installer team",
    ["65:1", "plan", "Indent with blanks."],
  ],
  [
    "a bracket that is not closed",
    "source: [installer]",
    "source: [installer",
    ["63:5", "plan", "A `[` or `{` above is not closed. Close it"],
  ],
  [
    "a contact that is not an address",
    "contact: privacy@kitchen.example",
    "contact: the kitchen team",
    ["2:10", "contact", "Write an e-mail address, or a URL that begins with https://."],
  ],
  [
    "two events with the same type and name",
    "    name: SEARCH_CLICK\n    source: [client]\n    since: 2",
    "    name: Installation Failed\n    source: [client]\n    since: 2",
    ["91:11", "events[1].type", "Join the two: `source` takes a list."],
  ],
  [
    "a track event without a name",
    "    name: SEARCH_CLICK\n",
    "",
    ["91:5", "events[1].name", "A track event needs a `name`."],
  ],
  [
    "an identify with a name",
    "  - type: identify\n",
    "  - type: identify\n    name: Login\n",
    ["109:5", "events[2].name", "Remove `name`."],
  ],
  [
    "traits of a track event",
    "    properties:\n      filters:",
    "    traits:\n      filters:",
    ["98:5", "events[1].traits", "Write its fields there."],
  ],
  [
    "properties of an identify",
    "    traits:\n",
    "    properties:\n",
    ["114:5", "events[2].properties", "Write its fields there."],
  ],
  [
    "a source that is not declared",
    "source: [installer]",
    "source: [installer, server]",
    ["62:25", "events[0].source[1]", "Declare it under `sources`, or write one of `installer`, `client`."],
  ],
  [
    "a duplicate source",
    "source: [installer]",
    "source: [installer, installer]",
    ["62:25", "events[0].source[1]", "Remove one of the two."],
  ],
  [
    "an event newer than the plan",
    "    since: 2",
    "    since: 3",
    ["94:12", "events[1].since", "Raise the plan's `version` from 2, or write a number up to it."],
  ],
  [
    "a field newer than the plan",
    OS,
    `${OS}        since: 3\n`,
    [
      "72:16",
      "events[0].properties.os.since",
      "Raise the plan's `version` from 2, or write a number up to it.",
    ],
  ],
  [
    "a field older than its event",
    ITEMS,
    `${ITEMS}        since: 1\n`,
    ["105:16", "events[1].properties.filters.since", "Write 2 or more, or remove it."],
  ],
  [
    "a field older than its object",
    "        fields:\n          path:\n",
    "        since: 2\n        fields:\n          path:\n            since: 1\n",
    ["46:20", "sources.client.context.page.fields.path.since", "Write 2 or more, or remove it."],
  ],
  [
    "a plan version without an entry",
    "version: 2\nabout",
    "version: 3\nabout",
    ["14:1", "changelog", "Add one that says what it changed."],
  ],
  [
    "an entry newer than the plan",
    "version: 2\nabout",
    "version: 1\nabout",
    ["15:14", "changelog[0].version", "Raise the plan's `version` from 1, or write a number up to it."],
    ["94:12", "events[1].since", "Raise the plan's `version` from 1, or write a number up to it."],
  ],
  [
    "a duplicate entry",
    "  - version: 1\n",
    "  - version: 2\n",
    ["18:14", "changelog[1].version", "Write one entry for each version."],
  ],
  [
    "entries out of order",
    "    text: A click on the search button is counted.\n  - version: 1\n",
    "    text: A click on the search button is counted.\n  - version: 1\n    date: 2026-01-15\n    text: Once more.\n  - version: 2\n",
    ["21:14", "changelog[2].version", "Write them all rising, or all falling."],
  ],
  [
    "a day that does not exist",
    'date: "2026-01-15"',
    'date: "2026-02-30"',
    ["19:11", "changelog[1].date", "Write a real date as YYYY-MM-DD."],
  ],
  [
    "an expiry that does not exist",
    'expires: "2027-01-15"',
    'expires: "2027-13-15"',
    ["67:14", "events[0].expires", "Write a real date as YYYY-MM-DD."],
  ],
  [
    "an event that may never be sent",
    '    expires: "2027-01-15"',
    "    max_per_minute: 0",
    ["67:21", "events[0].max_per_minute", "Write a number from 1 to 1000000."],
  ],
  [
    "a route for the installer",
    '    expires: "2027-01-15"',
    "    routes: [/recipes]",
    ["67:5", "events[0].routes", "Add `client` to `source`"],
  ],
  [
    "a selector for the installer",
    '    expires: "2027-01-15"',
    "    selector: .search",
    ["67:5", "events[0].selector", "Add `client` to `source`"],
  ],
  [
    "an identify with a route",
    "  - type: identify\n    source: [client]\n",
    "  - type: identify\n    routes: [/recipes]\n    source: [client]\n",
    ["109:5", "events[2].routes", "Remove `routes`."],
  ],
  [
    "an identify with a selector",
    "  - type: identify\n    source: [client]\n",
    "  - type: identify\n    selector: .search\n    source: [client]\n",
    ["109:5", "events[2].selector", "Remove `selector`."],
  ],
  [
    "an event with both a route and a selector",
    "    name: SEARCH_CLICK\n",
    "    name: SEARCH_CLICK\n    routes: [/recipes]\n    selector: .search\n",
    ["94:5", "events[1].selector", "Write `routes` or `selector`."],
  ],
  [
    "a route that is declared twice",
    "    name: SEARCH_CLICK\n",
    "    name: SEARCH_CLICK\n    routes: [/recipes, /recipes/:recipe, /recipes]\n",
    ["93:42", "events[1].routes[2]", "A page belongs to one event."],
  ],
  [
    "a route with a query",
    "    name: SEARCH_CLICK\n",
    "    name: SEARCH_CLICK\n    routes: [/recipes?page=1]\n",
    ["93:14", "events[1].routes[0]", "/app/:app/:page/edit"],
  ],
  [
    "an opt-in without its variable",
    "  opt_in: KITCHEN_CLIENT_TELEMETRY\n",
    "",
    ["9:1", "switches.opt_in", "Something is `opt-in`, so name the environment variable"],
  ],
  [
    "one variable for both switches",
    "opt_in: KITCHEN_CLIENT_TELEMETRY",
    "opt_in: KITCHEN_DISABLE_TELEMETRY",
    ["11:11", "switches.opt_in", "Write the name of another variable."],
  ],
  [
    "the mode variable as the opt-in variable",
    "opt_in: KITCHEN_CLIENT_TELEMETRY",
    "opt_in: KITCHEN_TELEMETRY",
    ["11:11", "switches.opt_in", "`KITCHEN_TELEMETRY=log` prints messages instead of sending them."],
  ],
  [
    "no variable that turns telemetry off",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: []",
    ["10:12", "switches.disable", "This list is empty. Write at least 1 item."],
  ],
  [
    "a variable name that no shell accepts",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: [KITCHEN_DISABLE_TELEMETRY, kitchen-off]",
    ["10:40", "switches.disable[1]", "This must look like `PRODUCT_DISABLE_TELEMETRY`."],
  ],
  [
    "a duplicate variable",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: [KITCHEN_DISABLE_TELEMETRY, KITCHEN_DISABLE_TELEMETRY]",
    ["10:40", "switches.disable[1]", "Remove one of the two."],
  ],
  [
    "the opt-in variable among those that turn telemetry off",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: [KITCHEN_DISABLE_TELEMETRY, KITCHEN_CLIENT_TELEMETRY]",
    ["11:11", "switches.opt_in", "Write the name of another variable."],
  ],
  [
    "the mode variable among those that turn telemetry off",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: [KITCHEN_DISABLE_TELEMETRY, KITCHEN_TELEMETRY]",
    ["10:40", "switches.disable[1]", "`KITCHEN_TELEMETRY=log` prints messages instead of sending them."],
  ],
  [
    "a block instead of variables",
    "disable: KITCHEN_DISABLE_TELEMETRY",
    "disable: { name: KITCHEN_DISABLE_TELEMETRY }",
    ["10:12", "switches.disable", "This is a block of keys. Write text or a list."],
  ],
  [
    "no source at all",
    EXAMPLE_PLAN.slice(EXAMPLE_PLAN.indexOf("sources:"), EXAMPLE_PLAN.indexOf("\nevents:")),
    "sources: {}\n",
    ["22:1", "sources", "Write `installer:`, `server:` or `client:` with its keys."],
  ],
  [
    "an enum of a number",
    MEMORY,
    "        enum: [low]\n",
    ["80:9", "events[0].properties.freeMemoryMb.enum", "Remove it, or write another `type`."],
  ],
  [
    "a range of a string",
    OS,
    `${OS}        minimum: 1\n`,
    ["72:9", "events[0].properties.os.minimum", "Remove it, or write another `type`."],
  ],
  [
    "a limit of the items on the array itself",
    ITEMS,
    `${ITEMS}        enum: [quick]\n`,
    ["105:9", "events[1].properties.filters.enum", "Write it under `items`."],
  ],
  [
    "fields of a string",
    OS,
    `${OS}        fields: {}\n`,
    ["72:9", "events[0].properties.os.fields", "Remove it, or write another `type`."],
  ],
  [
    "an array without items",
    "        items:\n          type: string\n          enum: [quick, vegan, cheap]\n",
    "",
    [
      "99:7",
      "events[1].properties.filters.items",
      "The key is missing; add what each item is: `items:` with a `type`.",
    ],
  ],
  [
    "an object without fields",
    EXAMPLE_PLAN.slice(EXAMPLE_PLAN.indexOf("        fields:\n"), EXAMPLE_PLAN.indexOf("    ids:")),
    "",
    ["40:7", "sources.client.context.page.fields", "The key is missing; add the object's fields."],
  ],
  [
    "a field without sensitivity",
    "        sensitivity: technical\n        description: Free",
    "        description: Free",
    [
      "77:7",
      "events[0].properties.freeMemoryMb.sensitivity",
      "The key is missing; add it: `technical`, `interaction`,",
    ],
  ],
  [
    "an object with a sensitivity",
    PAGE,
    `${PAGE}        sensitivity: technical\n`,
    ["43:9", "sources.client.context.page.sensitivity", "Remove it."],
  ],
  [
    "an object with an example",
    PAGE,
    `${PAGE}        example: x\n`,
    ["43:9", "sources.client.context.page.example", "Remove it."],
  ],
  [
    "a field without an example",
    "        example: 1024\n",
    "",
    ["77:7", "events[0].properties.freeMemoryMb.example", "The public page shows it."],
  ],
  [
    "an example that is not in the list",
    "example: debian",
    "example: gentoo",
    ["74:18", "events[0].properties.os.example", "Write one of the values of `enum`."],
  ],
  [
    "an example of another type",
    "example: 1024",
    "example: much",
    ["83:18", "events[0].properties.freeMemoryMb.example", "Write a whole number, without quotes."],
  ],
  [
    "an example out of range",
    "example: 1024",
    "example: -4",
    [
      "83:18",
      "events[0].properties.freeMemoryMb.example",
      "Write a number within `minimum`, `maximum` and `buckets`.",
    ],
  ],
  [
    "an example that looks like an IP address",
    "          enum: [quick, vegan, cheap]\n        max_items: 3\n        sensitivity: interaction\n        description: Which filters were set.\n        example: [quick]\n",
    "          max_length: 20\n        sensitivity: interaction\n        description: Which filters were set.\n        example: [4.2.0.17]\n",
    [
      "106:19",
      "events[1].properties.filters.example[0]",
      "Write `format: version` if the field is a version",
    ],
  ],
  [
    "an example that is not a version",
    "        enum: [debian, ubuntu, other]\n",
    "        format: version\n",
    ["74:18", "events[0].properties.os.example", "Write a version, such as 1.9.2"],
    ["90:21", "events[0].properties.email.kept_with[0]", "Give that field an `enum` or a `pattern`."],
  ],
  [
    "a version with a pattern",
    "        enum: [debian, ubuntu, other]\n",
    '        format: version\n        pattern: "[a-z]+"\n',
    ["72:9", "events[0].properties.os.pattern", "Remove `pattern`, or `format`."],
  ],
  [
    "an example that is not a hash",
    "example: 70280e5d07e61e5e915e5d26ac8704bbd68d3f75ebad67ba439f4c354d7a1b2c",
    "example: me@example.com",
    ["120:18", "events[2].traits.account.example", "Write 32 to 64 characters of lower-case hex."],
  ],
  [
    "an example that does not match",
    "example: 0b62ab60-02ad-4f69-a181-d9c5eb2f97fa",
    "example: 0b62ab60",
    [
      "57:18",
      "sources.client.ids.anonymousId.example",
      "Write one that matches `pattern` as a whole, or correct the pattern.",
    ],
  ],
  [
    "an example that is too long",
    PATH,
    `${PATH}            max_length: 5\n`,
    ["50:22", "sources.client.context.page.fields.path.example", "Shorten it, or raise `max_length` (5)."],
  ],
  [
    "an array's example that is not a list",
    "example: [quick]",
    "example: quick",
    ["107:18", "events[1].properties.filters.example", "Write a list, such as `[...]`."],
  ],
  [
    "an array's example with a wrong item",
    "example: [quick]",
    "example: [quick, slow]",
    ["107:26", "events[1].properties.filters.example[1]", "Write one of the values of `enum`."],
  ],
  [
    "an array's example that is too long",
    "example: [quick]",
    "example: [quick, vegan, cheap, quick]",
    ["107:18", "events[1].properties.filters.example", "Shorten it."],
  ],
  [
    "an example with an address in it",
    "            example: /recipes",
    "            example: /recipes/me@example.com",
    [
      "49:22",
      "sources.client.context.page.fields.path.example",
      "Write one without an e-mail address: these are cut out of text.",
    ],
  ],
  [
    "content without an exception",
    "        sensitivity: interaction\n        description: Which",
    "        sensitivity: content\n        description: Which",
    ["99:7", "events[1].properties.filters.exception", "Add `exception:` with a sentence that gives it."],
  ],
  [
    "an exception without content",
    ITEMS,
    `${ITEMS}        exception: We want to.\n`,
    ["105:9", "events[1].properties.filters.exception", "Remove it, or write that sensitivity."],
  ],
  [
    "a contact in the context",
    "            format: url\n            sensitivity: interaction\n",
    "            format: email\n            sensitivity: contact\n",
    ["47:26", "sources.client.context.page.fields.path.sensitivity", "Move it there."],
    [
      "49:22",
      "sources.client.context.page.fields.path.example",
      "Write an e-mail address, such as name@example.com.",
    ],
    ["50:13", "sources.client.context.page.fields.path.column", "Remove it."],
  ],
  [
    "a contact that is a number",
    "type: string\n        format: email",
    "type: integer",
    ["85:15", "events[0].properties.email.type", "Write `string`."],
    ["88:18", "events[0].properties.email.example", "Write a whole number, without quotes."],
  ],
  [
    "a contact of another format",
    EMAIL,
    "        format: url\n",
    ["86:17", "events[0].properties.email.format", "Write one of the two."],
    [
      "89:18",
      "events[0].properties.email.example",
      "Write one without an e-mail address: these are cut out of text.",
    ],
  ],
  [
    "a required contact",
    EMAIL,
    `${EMAIL}        required: true\n`,
    ["87:9", "events[0].properties.email.required", "Remove it."],
  ],
  [
    "a contact with a column",
    EMAIL,
    `${EMAIL}        column: true\n`,
    ["87:9", "events[0].properties.email.column", "Remove it."],
  ],
  [
    "a hashed contact",
    EMAIL,
    "        hash: true\n",
    ["86:9", "events[0].properties.email.hash", "Remove `hash`, or write another sensitivity."],
    ["89:18", "events[0].properties.email.example", "Write 32 to 64 characters of lower-case hex."],
  ],
  [
    "two contacts in an event",
    "        type: integer\n        minimum: 0\n        buckets: [0, 512, 1024, 4096]\n        sensitivity: technical\n        description: Free memory, rounded down.\n        example: 1024\n",
    "        type: string\n        sensitivity: contact\n        description: Where to call.\n        example: in the kitchen\n",
    ["85:22", "events[0].properties.email.sensitivity", "Declare it in an event of its own."],
  ],
  [
    "`kept_with` that names a missing field",
    "kept_with: [os]",
    "kept_with: [kernel]",
    ["90:21", "events[0].properties.email.kept_with[0]", "Write one of `os`, `freeMemoryMb`, or remove it."],
  ],
  [
    "`kept_with` that names a field of free text",
    OS,
    "",
    ["89:21", "events[0].properties.email.kept_with[0]", "Give that field an `enum` or a `pattern`."],
  ],
  [
    "`kept_with` on a field that is not a contact",
    ITEMS,
    `${ITEMS}        kept_with: [os]\n`,
    ["105:9", "events[1].properties.filters.kept_with", "Remove it."],
  ],
  [
    "contacts without `retention_days`",
    "contacts:\n  retention_days: 30\n",
    "",
    ["1:1", "contacts", "A field is `contact`, so say how long contacts are kept:"],
  ],
  [
    "an e-mail address that is not a contact",
    PATH,
    "            format: email\n",
    ["46:21", "sources.client.context.page.fields.path.format", "Write another format, or that sensitivity."],
    [
      "49:22",
      "sources.client.context.page.fields.path.example",
      "Write an e-mail address, such as name@example.com.",
    ],
  ],
  [
    "a hash with a pattern",
    HASH,
    `${HASH}        pattern: "[0-9a-f]+"\n`,
    ["118:9", "events[2].traits.account.pattern", "Remove `pattern`, or `hash`."],
  ],
  [
    "a hash with a short length",
    HASH,
    `${HASH}        max_length: 32\n`,
    ["118:21", "events[2].traits.account.max_length", "Write 64 or more, or remove it."],
  ],
  [
    "a list with a pattern",
    OS,
    `${OS}        pattern: "[a-z]+"\n`,
    ["72:9", "events[0].properties.os.pattern", "Remove `pattern`, or `enum`."],
  ],
  [
    "a list with a format",
    OS,
    `${OS}        format: url\n`,
    ["72:9", "events[0].properties.os.format", "Remove `format`, or `enum`."],
  ],
  [
    "a pattern for a user agent",
    "        format: user_agent\n",
    "        format: user_agent\n        pattern: F.+\n",
    ["37:9", "sources.client.context.userAgent.pattern", "Remove `pattern`, or `format`."],
  ],
  [
    "a duplicate value in a list",
    "[debian, ubuntu, other]",
    "[debian, ubuntu, debian]",
    ["71:32", "events[0].properties.os.enum[2]", "Remove one of the two."],
  ],
  [
    "a value longer than the limit",
    OS,
    `${OS}        max_length: 5\n`,
    ["71:16", "events[0].properties.os.enum[0]", "Raise it, or shorten the value."],
    ["71:24", "events[0].properties.os.enum[1]", "Raise it, or shorten the value."],
  ],
  [
    "buckets that do not rise",
    "[0, 512, 1024, 4096]",
    "[0, 512, 512, 4096]",
    ["80:27", "events[0].properties.freeMemoryMb.buckets[2]", "Write a number greater than 512."],
  ],
  [
    "a bucket out of range",
    "[0, 512, 1024, 4096]",
    "[-1, 512, 1024, 4096]",
    ["80:19", "events[0].properties.freeMemoryMb.buckets[0]", "Write a bound within, or widen the range."],
  ],
  [
    "a bucket that is not a whole number",
    "[0, 512, 1024, 4096]",
    "[0, 512.5, 1024, 4096]",
    ["80:22", "events[0].properties.freeMemoryMb.buckets[1]", "Write a whole number."],
  ],
  [
    "a minimum above the maximum",
    "        minimum: 0\n        buckets: [0, 512, 1024, 4096]\n",
    "        minimum: 5\n        maximum: 4\n",
    ["79:18", "events[0].properties.freeMemoryMb.minimum", "Write 4 or less."],
  ],
  [
    "a pattern that does not compile",
    'pattern: "[0-9a-f]{8}-',
    'pattern: "([0-9a-f]{8}-',
    [
      "54:18",
      "sources.client.ids.anonymousId.pattern",
      "This regular expression is invalid at character 62: unterminated group. Close the group with `)`",
    ],
  ],
  [
    "a pattern that could take long",
    'pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"',
    'pattern: "([0-9a-f]+-?)+"',
    ["54:18", "sources.client.ids.anonymousId.pattern", "Write narrower bounds (`{1,16}` for `+`)"],
  ],
  [
    "patterns that could take long together",
    "      filters:\n",
    `${DEAR_FIELDS}      filters:\n`,
    ["99:35", "events[1].properties.a.pattern", "could take very long together"],
  ],
  [
    "a pattern that could take long for a list",
    "          enum: [quick, vegan, cheap]\n        max_items: 3\n",
    '          pattern: ".*.*k"\n        max_items: 125\n',
    ["103:20", "events[1].properties.filters.items.pattern", "Write a smaller `max_items`"],
  ],
  [
    "an id that accepts any text",
    '        pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"\n',
    "",
    ["52:7", "sources.client.ids.anonymousId.pattern", "Add a `pattern`, or `hash: true`."],
  ],
  [
    "an id that is not text",
    '        type: string\n        pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"\n',
    "        type: integer\n",
    ["53:15", "sources.client.ids.anonymousId.type", "Write `string`."],
    ["56:18", "sources.client.ids.anonymousId.example", "Write a whole number, without quotes."],
  ],
  [
    "an id with format url",
    '        pattern: "[0-9a-f]{8}-',
    '        format: url\n        pattern: "[0-9a-f]{8}-',
    ["54:17", "sources.client.ids.anonymousId.format", "Write one of the two."],
    [
      "58:18",
      "sources.client.ids.anonymousId.example",
      "Write one that matches `pattern` as a whole, or correct the pattern.",
    ],
  ],
  [
    "an id that is required",
    ID,
    `${ID}        required: true\n`,
    ["57:9", "sources.client.ids.anonymousId.required", "Remove it."],
  ],
  [
    "an id with a column",
    ID,
    `${ID}        column: true\n`,
    ["57:9", "sources.client.ids.anonymousId.column", "Remove it."],
  ],
  [
    "a required context field",
    PATH,
    `${PATH}            required: true\n`,
    ["47:13", "sources.client.context.page.fields.path.required", "Remove it."],
  ],
  [
    "a column that is an object",
    PAGE,
    `${PAGE}        column: true\n`,
    ["43:9", "sources.client.context.page.column", "Write `column: true` at its fields."],
  ],
  [
    "a column with two types",
    "      filters:\n        type: array\n",
    "      os:\n        column: true\n        type: array\n",
    ["101:15", "events[1].properties.os.type", "Write the same type, or remove one `column`."],
  ],
];

describe("a broken plan is refused with the position and what to write instead", () => {
  const cases = BROKEN.map(([name, from, to, ...expected]) => ({ name, from, to, expected }));
  test.each(cases)("$name", ({ from, to, expected }) => {
    const faults = faultsOf(edit(from, to));
    const places = faults.map(({ line, column, path }) => [`${line}:${column}`, path]);
    expect(places).toEqual(expected.map(([place, path]) => [place, path]));
    for (const [index, [, , sentence]] of expected.entries()) {
      expect(faults[index]?.message).toContain(sentence);
    }
  });
});

test("the example plan loads, with every default filled in", () => {
  const plan = loadPlan(EXAMPLE_PLAN, "plan.yaml");
  const { context: _context, ids: _ids, ...client } = plan.sources.client!;
  expect(client).toEqual({
    description: "Kitchen in the browser.",
    consent: "opt-in",
    instanceIds: ["properties.instanceId"],
    mode: "enforce",
    ip: "truncate",
    userAgent: "family",
    retentionDays: 365,
  });
  const { fields, ...search } = plan.events[1]!;
  expect(search).toEqual({
    type: "track",
    name: "SEARCH_CLICK",
    sources: ["client"],
    since: 2,
    why: "Shows whether search is used at all.",
    owner: "recipes team",
    review: "https://kitchen.example/telemetry/2",
    expires: undefined,
    consent: undefined,
    maxPerMinute: 1000,
    routes: [],
    selector: undefined,
    heartbeat: false,
  });
  expect(fields).toEqual({
    filters: {
      sensitivity: "interaction",
      description: "Which filters were set.",
      example: ["quick"],
      since: 2,
      required: false,
      exception: undefined,
      column: false,
      fact: false,
      dimension: false,
      measure: undefined,
      keptWith: [],
      type: "array",
      maxItems: 3,
      items: {
        type: "string",
        format: "text",
        maxLength: 256,
        enum: ["quick", "vegan", "cheap"],
        pattern: undefined,
        hash: false,
      },
    },
  });
  expect(plan.events[0]?.fields.freeMemoryMb).toMatchObject({ minimum: 0, maximum: undefined, since: 1 });
  expect(plan.sources.client?.context.page).toMatchObject({ sensitivity: "technical", example: undefined });
});

test("contacts are kept for 90 days by default if the plan has no contact field", () => {
  const start = EXAMPLE_PLAN.indexOf("      email:\n");
  const end = EXAMPLE_PLAN.indexOf("  - type: track\n    name: SEARCH");
  const text = `${EXAMPLE_PLAN.slice(0, start)}${EXAMPLE_PLAN.slice(end)}`.replace(
    "contacts:\n  retention_days: 30\n",
    "",
  );
  expect(loadPlan(text, "plan.yaml").contacts).toEqual({ retentionDays: 90 });
});

test("an event may be sent less often than others", () => {
  const text = edit('    expires: "2027-01-15"', "    max_per_minute: 60");
  expect(loadPlan(text, "plan.yaml").events.map(({ maxPerMinute }) => maxPerMinute)).toEqual([
    60, 1000, 1000,
  ]);
});

test("an expired event is not a fault", () => {
  const text = edit('expires: "2027-01-15"', "expires: 2026-01-15");
  expect(loadPlan(text, "plan.yaml").events[0]?.expires).toBe("2026-01-15");
});

test("all faults are reported at once, in the order of the file, one per line", () => {
  const text = edit("product: Kitchen", "product: 7")
    .replace("owner: installer team", "Owner: installer team")
    .replace("example: 1024", "example: much")
    .replace("since: 2", "since: 3")
    .replace("consent: opt-in", "consent: ask");
  expect(() => loadPlan(text, "plans/kitchen.yaml")).toThrow(
    expect.objectContaining({
      name: "PlanError",
      message: [
        "plans/kitchen.yaml:1:10 product: This is a whole number. Write text, in quotes. The product's name.",
        "plans/kitchen.yaml:31:14 sources.client.consent: This is not one of the values. Write one of `notice`, `opt-in`.",
        "plans/kitchen.yaml:60:5 events[0].owner: The key is missing; add it. Who answers for it.",
        "plans/kitchen.yaml:65:5 events[0].Owner: There is no such key. Did you mean `owner`?",
        "plans/kitchen.yaml:83:18 events[0].properties.freeMemoryMb.example: The example would be removed. Write a whole number, without quotes.",
        "plans/kitchen.yaml:94:12 events[1].since: This is newer than the plan. Raise the plan's `version` from 2, or write a number up to it.",
      ].join("\n"),
    }),
  );
});

/** The `properties` of an event: `depth` objects, each inside the one before, and a field in the last. */
function nest(depth: number): string {
  const lines = ["    properties:\n"];
  for (let level = 0; level < depth; level += 1) {
    const indent = " ".repeat(6 + level * 4);
    lines.push(
      `${indent}o${level}:\n${indent}  type: object\n${indent}  description: Inner.\n${indent}  fields:\n`,
    );
  }
  const indent = " ".repeat(6 + depth * 4);
  lines.push(`${indent}leaf: {type: boolean, sensitivity: technical, description: Leaf., example: true}\n`);
  return lines.join("");
}

test("objects may nest 8 deep but not 9", () => {
  const start = EXAMPLE_PLAN.indexOf("    properties:\n      filters:");
  const rest = EXAMPLE_PLAN.slice(EXAMPLE_PLAN.indexOf("  - type: identify"));
  const head = EXAMPLE_PLAN.slice(0, start);
  expect(faultsOf(head + nest(8) + rest)).toEqual([]);
  expect(faultsOf(head + nest(9) + rest).map(({ line, column, message }) => [line, column, message])).toEqual(
    [[131, 39, "Objects nest at most 8 deep. Move these fields up."]],
  );
});

test("an alias stands for the value of its anchor", () => {
  const text = edit(
    "description: Free memory, rounded down.",
    "description: &free Free memory, rounded down.",
  ).replace("description: Which filters were set.", "description: *free");
  expect(loadPlan(text, "plan.yaml").events[1]?.fields.filters?.description).toBe(
    "Free memory, rounded down.",
  );
});

describe("a file that would exhaust its reader is refused", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let at = 0; at < 8; at += 1) {
    const [name, inner] = ["bcdefghi"[at], "abcdefgh"[at]];
    bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${inner}`).join(", ")}]`);
  }
  test.each([
    ["aliases of aliases", bomb.join("\n"), "Use fewer aliases"],
    ["brackets that open", "[".repeat(100_000), "nested too deeply"],
    ["brackets that close", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "nested too deeply"],
    ["blocks in blocks", "{a: ".repeat(100_000), "nested too deeply"],
    ["lists in lists", `a: ${"[".repeat(60)}${"]".repeat(60)}`, "nested too deeply"],
    ["list marks", "- ".repeat(50_000), "nested too deeply"],
    ["key marks", "? ".repeat(50_000), "This key is not a plain word"],
    ["an anchor that holds itself", "a: &a [*a]", "This alias has no anchor above it"],
    ["a very long text", "x".repeat(2_000_001), "longer than 2000000 characters"],
    ["nothing", "", "Write a block of keys"],
  ])("%s", (_name, text, sentence) => {
    expect(
      faultsOf(text)
        .map(({ message }) => message)
        .join("\n"),
    ).toContain(sentence);
  });
});

test("faults do not repeat the file's contents", () => {
  const secret = "correct-horse-battery";
  const text = edit("consent: opt-in", `consent: ${secret}`)
    .replace("product: Kitchen", `product: [${secret}]`)
    .replace("example: 1024", `example: ${secret}`)
    .replace("https://kitchen.example/telemetry/2", secret);
  expect(faultsOf(text)).toHaveLength(4);
  expect(JSON.stringify(faultsOf(text))).not.toContain(secret);
});

const word = fc.constantFrom(
  ...[
    "sources",
    "events",
    "type",
    "fields",
    "properties",
    "name",
    "since",
    "<<",
    "__proto__",
    "*a",
    "&a",
    "- ",
    ": ",
    "[",
    "]",
    "{",
    "}",
  ],
  ...[
    "\n",
    "  ",
    "\t",
    "'",
    '"',
    "|",
    "!!map",
    "---",
    "%YAML 1.1",
    "#",
    "1",
    "true",
    "2026-01-01",
    "object",
    ".nan",
  ],
);

test("any text is a plan or a PlanError with a position for every fault", () => {
  const soup = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), soup), (text) => {
      for (const { line, column, message } of faultsOf(text)) {
        expect([line > 0, column > 0, message.length > 0]).toEqual([true, true, true]);
      }
    }),
    { numRuns: 1000 },
  );
});

test("the example with any line lost, doubled or garbled is a plan or a PlanError", () => {
  const lines = EXAMPLE_PLAN.split("\n");
  const place = fc.nat(lines.length - 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(place, word, fc.nat(2)), { minLength: 1, maxLength: 5 }), (edits) => {
      const changed = [...lines];
      for (const [at, text, how] of edits) {
        const line = changed[at] ?? "";
        changed[at] =
          [`${line}\n${line}`, line.replace(/[^ ].*/, text), line.replace(/:.*/, `: ${text}`)][how] ?? "";
      }
      faultsOf(changed.join("\n"));
    }),
    { numRuns: 500 },
  );
});

describe("what is suggested for the name of another format's type", () => {
  test.each([
    ["int", "integer"],
    ["Int64", "integer"],
    ["long", "integer"],
    ["float", "number"],
    ["double", "number"],
    ["str", "string"],
    ["datetime", "string"],
    ["uuid", "string"],
    ["enum", "string"],
    ["bool", "boolean"],
    ["list", "array"],
    ["dict", "object"],
    ["map", "object"],
    ["intger", "integer"],
  ])("%s: %s", (written, meant) => {
    const [fault] = faultsOf(edit("      os:\n        type: string", `      os:\n        type: ${written}`));
    expect(fault?.message).toContain(`Did you mean \`${meant}\`?`);
  });

  test.each(["constructor", "__proto__", "colour"])("%s: nothing", (written) => {
    const [fault] = faultsOf(edit("      os:\n        type: string", `      os:\n        type: ${written}`));
    expect(fault?.message).toMatch(/Write one of `string`, .+`\.$/);
  });
});

describe("a fault of an anchor is reported once, at the anchor, and not at each alias", () => {
  const OS_BLOCK = "      os:\n        type: string";
  const aliases = "      arch: *os\n      libc: *os\n      freeMemoryMb:\n";
  const twice = (text: string) => text.replace("      freeMemoryMb:\n", aliases);
  const anchored = edit(OS_BLOCK, "      os: &os\n        type: string");

  test.each([
    ["a wrong value", /(os: &os\n {8}type: )string/, "$1text", "type"],
    ["a missing key", /(os: &os\n[\s\S]*?) {8}description: .+\n/, "$1", "description"],
    ["a missing key that a rule requires", /(os: &os\n[\s\S]*?) {8}sensitivity: .+\n/, "$1", "sensitivity"],
    ["an unknown key", /(os: &os\n)/, "$1        colour: red\n", "colour"],
  ])("%s", (_name, from, to, key) => {
    const text = twice(anchored.replace(from, to));
    expect(text).toContain("libc: *os");
    expect(text.replace(aliases, "      freeMemoryMb:\n")).not.toBe(anchored);
    expect(faultsOf(text).map(({ path }) => path)).toEqual([`events[0].properties.os.${key}`]);
  });

  test("a value that is an anchor itself", () => {
    const text = edit(OS_BLOCK, "      os:\n        type: &kind text").replace(
      "      freeMemoryMb:\n        type: integer",
      "      freeMemoryMb:\n        type: *kind",
    );
    expect(text).toContain("*kind");
    expect(faultsOf(text).map(({ path }) => path)).toEqual(["events[0].properties.os.type"]);
  });

  test("a fault that only the alias causes is reported at the alias", () => {
    const text = EXAMPLE_PLAN.replace("source: [installer]", "source: [&own installer, *own]");
    expect(text).not.toBe(EXAMPLE_PLAN);
    expect(faultsOf(text).map(({ path, message }) => `${path} ${message}`)).toEqual([
      "events[0].source[1] Duplicate source. Remove one of the two.",
    ]);
  });
});

test("two keys that are missing in the same block are both reported", () => {
  const text = EXAMPLE_PLAN.replace(/ {4}owner: installer team\n/, "").replace(/ {4}why: .+\n/, "");
  const missing = faultsOf(text).filter(({ message }) => message.startsWith("The key is missing"));
  expect(missing.map(({ path }) => path)).toEqual(["events[0].why", "events[0].owner"]);
});

test("`form` needs a `pattern`, and is only for strings", () => {
  const form = (to: string) => faultsOf(edit(OS, to)).map(({ path, message }) => `${path} ${message}`);
  expect(form(`${OS}        form: system\n`)).toEqual([
    "events[0].properties.os.form `form` names what a `pattern` matches. Add the pattern, or remove `form`.",
  ]);
  expect(form('        pattern: "[a-z]{2,9}"\n        form: name of a system\n')).toEqual([]);
  const memory = faultsOf(edit(MEMORY, "        form: a number\n")).map(({ path }) => path);
  expect(memory).toEqual(["events[0].properties.freeMemoryMb.form"]);
});

test.each(["ip", "user_agent"])("a value of format %s may be removed, so it cannot be required", (format) => {
  const faults = faultsOf(edit(OS, `        format: ${format}\n`));
  const [fault] = faults.filter(({ path }) => path === "events[0].properties.os.required");
  expect(fault?.message).toBe(
    "The source's policy may remove this value, so it cannot be required. Remove it.",
  );
});
