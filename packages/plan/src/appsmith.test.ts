import { readFileSync } from "node:fs";
import type { JsonObject, Message } from "@candor/envelope";
import { expect, test } from "vitest";
import type { PlanSourceName } from "./plan.ts";
import { REFERENCE_PLAN as plan } from "./rig/reference-plan.ts";
import { type CheckedMessage, compilePlan, type Trim } from "./runtime/index.ts";

const ROOT = new URL("../../../", import.meta.url);
const compiled = compilePlan(plan, {
  address: () => "an address",
  userAgent: () => "a user agent",
  pseudonym: () => "a pseudonym",
});

/** Reads a reference event in the form that the collector checks. */
function readSample(name: string): Message & CheckedMessage {
  const text = readFileSync(new URL(`packages/server/fixtures/${name}.json`, ROOT), "utf8");
  return { ...(JSON.parse(text) as Message), category: undefined };
}

test.each<[string, PlanSourceName, JsonObject, (readonly Trim[])?]>([
  ["installation-started", "installer", { userId: "an address" }],
  [
    "instance-active",
    "server",
    { userId: "an address", context: { ip: "an address" } },
    [{ path: "userId", reason: "address_reduced" }], // declared as a hash
  ],
  ["execute-action-triggered", "server", { userId: "a pseudonym", properties: { username: "a pseudonym" } }],
  [
    "applications-page-load",
    "client",
    {
      userId: "a pseudonym",
      context: {
        ip: "an address",
        page: { referrer: "/applications", url: "/applications" },
        userAgent: "a user agent",
      },
    },
  ],
])(
  "the plan keeps all of the reference event %s, except what its policies reduce",
  (name, source, reduced, trims = []) => {
    const message = readSample(name);
    const verdict = compiled.check(source, message, 0);
    expect(verdict).toMatchObject({ refused: undefined, trims, contact: undefined });
    expect(message).toEqual(merge(readSample(name) as unknown as JsonObject, reduced));
  },
);

function merge(base: JsonObject, change: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const old = merged[key];
    const isDeep = typeof value === "object" && typeof old === "object";
    merged[key] = isDeep ? merge(old as JsonObject, value as JsonObject) : value;
  }
  return merged;
}

test.each<[string, PlanSourceName, string, JsonObject]>([
  [
    "a host name as the library",
    "client",
    "applications-page-load",
    { library: { name: "db.internal.example" } },
  ],
  [
    "an address in the library's version",
    "client",
    "applications-page-load",
    { library: { version: "10.0.0.1" } },
  ],
  [
    "an id in the path",
    "client",
    "applications-page-load",
    { page: { path: "/app/612465f87b2230debedfc6" } },
  ],
  ["a file's name in the path", "client", "applications-page-load", { page: { path: "/report.pdf" } }],
  ["a query", "client", "applications-page-load", { page: { search: "?token=1" } }],
  ["an app's own title", "client", "applications-page-load", { page: { title: "Payroll 2026" } }],
  ["a sentence as the locale", "client", "applications-page-load", { locale: "write to ada" }],
])("the plan removes %s", (_, source, sample, context) => {
  const message = readSample(sample);
  message.context = merge(message.context, context);
  const before = JSON.stringify(message.context);
  const verdict = compiled.check(source, message, 0);
  const planted = leavesOf(context)[0] ?? "";
  expect(before).toContain(planted);
  expect(JSON.stringify(message.context)).not.toContain(planted);
  expect(new Set(verdict.trims.map(({ path }) => path)).size).toBe(1);
});

function leavesOf(value: JsonObject): string[] {
  return Object.values(value).flatMap((item) =>
    typeof item === "string" ? [item] : leavesOf(item as JsonObject),
  );
}
