import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";
import {
  APPSMITH_PLAN,
  basic,
  eventually,
  startForTest,
  type TestCandor,
  WRITE_KEYS,
} from "./rig/in-process.ts";

type Sample = Record<string, unknown> & {
  readonly receivedAt: string;
  readonly messageId: string;
  readonly context: Record<string, unknown>;
};

/**
 * Reads one of the four sample events that the reference product's documentation shows, as its own system
 * stored them.
 */
function sample(name: string): Sample {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));
}

const started = sample("installation-started");
const active = sample("instance-active");
const executed = sample("execute-action-triggered");
const loaded = sample("applications-page-load");

let candor: TestCandor;
let clockMs = 0;

beforeAll(async () => {
  const settings = { CANDOR_TRUSTED_PROXIES: "127.0.0.1", CANDOR_PLAN: planOfTenYears() };
  candor = await startForTest(settings, { now: () => clockMs });
});
afterAll(() => candor.close());

/**
 * Writes the Appsmith plan with ten years of retention, because the samples are from 2020 and 2021 and would
 * expire at once.
 */
function planOfTenYears(): string {
  const file = join(mkdtempSync(join(tmpdir(), "candor-plan-")), "appsmith.yaml");
  const text = readFileSync(APPSMITH_PLAN, "utf8");
  writeFileSync(file, text.replaceAll(/^ {4}retention_days: \d+$/gm, "    retention_days: 3650"));
  return file;
}

/** Returns only these fields: those that the sample's client sent, without those that the collector adds. */
function pick(from: Record<string, unknown>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, from[key]]));
}

/** Renames originalTimestamp to `timestamp`, the field in which the client sends its own time. */
function withTimestamp({ originalTimestamp, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return { ...rest, timestamp: originalTimestamp };
}

async function sendAt(
  stored: Sample,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  clockMs = Date.parse(stored.receivedAt);
  const response = await candor.post(path, body, headers);
  expect(response.status).toBe(200);
  const { events } = await eventually(
    () => candor.read(`/api/events?messageId=${stored.messageId}`),
    (page) => page.events?.length === 1,
  );
  return events?.[0];
}

const PSEUDONYM = expect.stringMatching(/^[0-9a-f]{32}$/);

/**
 * Each stored event equals the sample except for the added `candor`, and except where the plan redacts:
 * addresses become networks, URLs become paths, user agents become families, and sent hashes become the
 * collector's own hashes.
 */
describe("a sample event, sent as its client sent it under the Appsmith plan", () => {
  it("comes back from the installer's curl", async () => {
    const body = pick(started, "anonymousId", "event", "messageId", "properties", "userId");
    const stored = await sendAt(started, "/v1/track", body, {
      authorization: basic(WRITE_KEYS.installer),
      "content-type": "application/x-www-form-urlencoded", // curl's default with -d
    });
    expect(stored).toEqual({
      ...started,
      userId: "111.65.255.0",
      candor: { source: "installer", planVersion: REFERENCE_PLAN.version },
    });
  });

  it("comes back from the server's keep-alive, which sends its own address", async () => {
    const body = {
      ...pick(active, "event", "messageId", "properties", "userId"),
      context: { ip: "203.192.213.46" },
    };
    expect(await sendAt(active, "/v1/track", body)).toEqual({
      ...active,
      context: { ...active.context, ip: "203.192.213.0" },
      userId: "203.192.213.0",
      candor: { source: "server", country: "IN", planVersion: REFERENCE_PLAN.version, trimmed: ["userId"] }, // declared as a hash
    });
  });

  it("comes back from analytics-java, which puts its library and sentAt only into the batch", async () => {
    const message = withTimestamp(
      pick(executed, "type", "event", "messageId", "originalTimestamp", "properties", "userId"),
    );
    const body = { batch: [message], sentAt: executed.sentAt, context: executed.context };
    expect(await sendAt(executed, "/v1/import/", body)).toEqual({
      ...executed,
      properties: { ...Object(executed.properties), username: PSEUDONYM },
      userId: PSEUDONYM,
      candor: { source: "server", planVersion: REFERENCE_PLAN.version },
    });
  });

  it("comes back from analytics.js, whose address is taken from the connection", async () => {
    const { ip, ...context } = loaded.context;
    const message = withTimestamp(
      pick(
        loaded,
        "anonymousId",
        "event",
        "integrations",
        "messageId",
        "originalTimestamp",
        "properties",
        "sentAt",
        "type",
        "userId",
      ),
    );
    const body = { ...message, context, writeKey: WRITE_KEYS.client, _metadata: { bundled: [] } };
    const headers = { authorization: "", "content-type": "text/plain", "x-forwarded-for": String(ip) };
    const page = loaded.context.page as Record<string, string>;
    expect(await sendAt(loaded, "/v1/t", body, headers)).toEqual({
      ...loaded,
      userId: PSEUDONYM,
      context: {
        ...loaded.context,
        ip: "49.207.192.0",
        page: { ...page, referrer: "/applications", url: "/applications" },
        userAgent: "Chrome on macOS",
      },
      candor: { source: "client", country: "IN", planVersion: REFERENCE_PLAN.version },
    });
  });
});
