import { expect, test } from "vitest";
import { loadPlan } from "./load.ts";
import { PlanError } from "./plan-error.ts";
import { hashPlan } from "./plan-hash.ts";
import { isOfInstance } from "./runtime/instance-id.ts";

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const EXAMPLE = "6f0d2f6c-3c1e-8f6e-9a55-2f1c7b1f0a3d";
const text = (pattern: string) => `{ type: string, sensitivity: technical, description: An id., ${pattern} }`;
const AN_ID = text(`pattern: "${UUID}", example: ${EXAMPLE}`);
const HASHED = text(`hash: true, example: ${"a".repeat(64)}`);
const A_URL = text("format: url, example: /a");

interface Written {
  readonly source?: "installer" | "server" | "client";
  readonly instanceId?: string;
  /** The declaration of `anonymousId` under `ids`; undefined: it is not declared. */
  readonly anonymousId?: string;
  /** The declaration of the first event's property `install`; undefined: it is not declared. */
  readonly install?: string;
  /** The declaration of the second event's trait `install`; undefined: it is not declared. */
  readonly trait?: string;
}

function write({ source = "server", instanceId, anonymousId, install, trait }: Written): string {
  return `product: Test
contact: test@example.org
version: 1
promises: [Nothing is promised.]
turn_off: [End the test.]
switches: { disable: TEST_OFF }
changelog: [{ version: 1, date: "2026-01-01", text: The first plan. }]
sources:
  ${source}:
    description: A source.
    consent: notice
    retention_days: 30
    ${instanceId === undefined ? "" : `instance_id: ${instanceId}`}
    ids: ${anonymousId === undefined ? "{}" : `{ anonymousId: ${anonymousId} }`}
events:
  - &event { type: track, name: E, source: [${source}], since: 1, why: A test., owner: tests, review: "https://example.org/", properties: { ${install === undefined ? "" : `install: ${install}`} } }
  - { type: identify, source: [${source}], since: 1, why: A test., owner: tests, review: "https://example.org/", traits: { ${trait === undefined ? "" : `install: ${trait}`} } }
`;
}

function faultOf(written: Written): string | undefined {
  try {
    loadPlan(write(written), "plan.yaml");
    return undefined;
  } catch (error) {
    if (error instanceof PlanError)
      return error.faults.map(({ path, message }) => `${path}: ${message}`).join("\n");
    throw error;
  }
}

test.each<[string, Written, RegExp]>([
  [
    "a browser's own id",
    { source: "client", instanceId: "anonymousId", anonymousId: AN_ID },
    /browser's own id/,
  ],
  ["an anonymousId that is not declared", { instanceId: "anonymousId" }, /Declare `anonymousId` under `ids`/],
  ["an anonymousId that is hashed", { instanceId: "anonymousId", anonymousId: HASHED }, /without `hash`/],
  [
    "a property that no event has",
    { instanceId: "properties.install" },
    /No event of the source server declares `install`/,
  ],
  [
    "a property that is hashed",
    { instanceId: "properties.install", install: HASHED },
    /`install` is not kept as it is sent/,
  ],
  [
    "a property that is reduced",
    { instanceId: "properties.install", install: A_URL },
    /`install` is not kept as it is sent/,
  ],
  [
    "a trait that is hashed",
    { instanceId: "properties.install", install: AN_ID, trait: HASHED },
    /not kept as it is sent/,
  ],
  ["a person's id", { instanceId: "userId" }, /instance_id/],
  ["a place below an object", { instanceId: "properties.a.b" }, /instance_id/],
  ["a place outside of a message", { instanceId: "candor.source" }, /instance_id/],
])("an `instance_id` is refused if it is %s", (_, written, fault) => {
  expect(faultOf(written)).toMatch(fault);
});

test.each<[string, Written, readonly string[]]>([
  ["a server's usual places", { source: "server" }, ["properties.instanceId", "anonymousId"]],
  ["an installer's, whose anonymousId is an attempt's", { source: "installer" }, ["properties.instanceId"]],
  ["a client's, whose anonymousId is a browser's", { source: "client" }, ["properties.instanceId"]],
  ["a property", { instanceId: "properties.install", install: AN_ID, trait: AN_ID }, ["properties.install"]],
  [
    "a trait alone",
    { source: "client", instanceId: "properties.install", trait: AN_ID },
    ["properties.install"],
  ],
  [
    "an installer's anonymousId, when the plan says so",
    { source: "installer", instanceId: "anonymousId", anonymousId: AN_ID },
    ["anonymousId"],
  ],
])("the instance's id is found at %s", (_, written, places) => {
  const { source = "server" } = written;
  expect(loadPlan(write(written), "plan.yaml").sources[source]?.instanceIds).toEqual(places);
});

test("the place of the id does not change what is collected, so consents stay valid", () => {
  const declared = { install: AN_ID, trait: AN_ID };
  const named = loadPlan(write({ ...declared, instanceId: "properties.install" }), "plan.yaml");
  expect(hashPlan(named)).toBe(hashPlan(loadPlan(write(declared), "plan.yaml")));
});

const ID = "an-id";
test.each([
  ["the property", { type: "track", properties: { install: ID } }, true],
  ["the trait of an identify", { type: "identify", traits: { install: ID } }, true],
  ["the trait of a group", { type: "group", traits: { install: ID } }, true],
  ["the anonymousId", { type: "track", anonymousId: ID }, true],
  ["a property of an identify", { type: "identify", properties: { install: ID } }, false],
  ["another property", { type: "track", properties: { instanceId: ID } }, false],
  ["a deeper place", { type: "track", properties: { install: { install: ID } } }, false],
  ["the userId", { type: "track", userId: ID }, false],
  ["the event's name", { type: "track", event: ID }, false],
  ["no properties at all", { type: "track", properties: null }, false],
])("whether a message belongs to the instance by %s: %j %s", (_, message, isOwn) => {
  expect(isOfInstance({ instanceIds: ["properties.install", "anonymousId"] }, message, ID)).toBe(isOwn);
});
