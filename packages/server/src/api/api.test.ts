import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, NO_STORE, startForTest, type TestCandor } from "../rig/in-process.ts";

const REPORT_NAMES = [
  ...[
    "anonymity",
    "base",
    "client",
    "explore",
    "explore/cohorts",
    "explore/funnel",
    "facts",
    "features",
    "installs",
    "instances",
    "instances/list",
    "instances/timeline",
  ],
  ...["overview", "plan", "support", "versions"],
];

let candor: TestCandor;
beforeAll(async () => {
  candor = await startForTest(NO_STORE);
});
afterAll(() => candor.close());

const get = (path: string, token = "token-a"): Promise<Response> =>
  fetch(candor.url + path, { headers: { authorization: `Bearer ${token}` } });

describe("the read API without a store", () => {
  it("needs the admin token for everything that shows events", async () => {
    const paths = [
      "/api/events",
      "/api/count",
      "/api/live",
      "/api/contacts",
      "/api/exclusions",
      "/api/releases",
    ];
    const reports = REPORT_NAMES.map((name) => `/api/reports/${name}`);
    for (const path of [...paths, ...reports]) {
      for (const response of [await get(path, "wrong"), await fetch(candor.url + path)]) {
        expect([response.status, (await answerOf(response)).code]).toEqual([401, "token_invalid"]);
      }
    }
  });

  it("reports health, readiness and metrics to everybody, because messages are kept while the store is away", async () => {
    for (const path of [
      "/healthz",
      "/readyz",
      "/metrics",
      "/api/openapi.json",
      "/privacy",
      "/privacy.json",
    ]) {
      expect((await fetch(candor.url + path)).status).toBe(200);
    }
  });

  it("answers 503 with Retry-After where it needs the store", async () => {
    const response = await get("/api/count");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect((await answerOf(response)).code).toBe("store_away");
  });

  it.each([
    ["POST", "/api/events", 405, "GET, HEAD"],
    ["DELETE", "/privacy/", 405, "GET, HEAD"],
    ["GET", "/api/forget", 405, "POST"],
    ["GET", "/nothing", 404, null],
    ["POST", "/track", 404, null],
  ])("answers %s %s with %i before it reads the body, and counts it", async (method, path, status, allow) => {
    const code = status === 405 ? "method_not_allowed" : "not_found";
    const counted = async (): Promise<number> => {
      const metrics = await (await fetch(`${candor.url}/metrics`)).text();
      return Number(new RegExp(`refused_total\\{code="${code}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
    };
    const before = await counted();
    const body = method === "GET" ? {} : { body: "{", headers: { "content-type": "application/json" } };
    const response = await fetch(candor.url + path, { method, ...body });
    expect([response.status, response.headers.get("allow"), (await answerOf(response)).code]).toEqual([
      status,
      allow,
      code,
    ]);
    expect(await counted()).toBe(before + 1);
  });

  it.each([
    ["limit=0", "limit is a whole number from 1 to 1000."],
    ["limit=1001", "limit is a whole number from 1 to 1000."],
    ["limit=ten", "limit is a whole number from 1 to 1000."],
    ["cursor=x", "Use the field next"],
    ["from=yesterday", "Write it in RFC 3339"],
    ["source=door", "source is one of installer, server, client."],
    ["type=delete", "type is one of track"],
    ["event=a&event=b", "is given twice"],
    ["colour=red", "There is no such filter."],
    [`properties.${"1.".repeat(10)}a=1`, "too many parts"],
  ])("explains what is wrong with ?%s", async (query, words) => {
    const response = await get(`/api/events?${query}`);
    const answer = await answerOf(response);
    expect([response.status, answer.code]).toEqual([400, "query_invalid"]);
    expect(answer.message).toContain(words);
  });

  it.each([
    ["overview?from=yesterday", "Write one such as 2026-01-31"],
    ["overview?from=2026-02-30", "Write one such as 2026-01-31"],
    ["overview?from=2026-03-02&to=2026-03-01", "Write the earlier day as from"],
    ["overview?from=2020-01-01", "at most 731 days"],
    ["overview?zone=Mars/Olympus", "Write an IANA name"],
    ["overview?zone=%2B02:00", "Write an IANA name"],
    ["overview?environment=staging", "environment is one of production, development, test, ci, all."],
    ["overview?established=maybe", "established is one of true, false."],
    ["overview?country=Germany", "two capital letters"],
    ["overview?facts.colour=red", "The plan marks no facts."],
    ["overview?colour=red", "This report takes from, to, zone,"],
    ["overview?to=2026-03-01&to=2026-03-02", "to is given twice."],
    [
      "client?sort=views",
      "This report takes from, to, zone, environment, established, country, format, table and facts.NAME",
    ],
    ["support?facts.os=linux", "This report takes from, to, format, table, and nothing else."],
    ["plan?zone=UTC", "This report takes from, to, format, table, and nothing else."],
    ["overview?format=xlsx", "format is one of json, csv, ndjson, parquet."],
    ["overview?format=csv&format=csv", "format is given twice."],
    ["installs?format=csv&table=colours", "table is one of outcomes, base_leftOut, errors,"],
    ["installs?table=errors", "Write table only beside format=csv, ndjson or parquet."],
    ["features?by=colour", "The plan marks no dimensions."],
    ["features?at_least=0", "at_least is a whole number from 1 to"],
    ["explore?event=Opened", "event is one of Declared."],
    ["explore?event=Declared&by=colour", "by is one of day, week, hour, country."],
    ["explore?event=Declared&measure=sum", "The plan declares no numbers of this event"],
    ["instances/list?sort=colour", "sort is one of last-seen,"],
    ["instances/list?limit=1001", "limit is a whole number from 1 to 1000."],
    ["instances/timeline", "instance is the id of an instance."],
  ])("explains what is wrong with /api/reports/%s", async (path, words) => {
    const response = await get(`/api/reports/${path}`);
    const answer = await answerOf(response);
    expect([response.status, answer.code]).toEqual([400, "query_invalid"]);
    expect(answer.message).toContain(words);
  });

  it.each([
    ["exclusions", {}, 'Write one of "instance", an id'],
    ["exclusions", { instance: "a", facts: {} }, 'Write one of "instance", an id'],
    ["exclusions", { instance: "" }, "instance is the id of an instance"],
    ["exclusions", { facts: { os: "linux" } }, "The plan marks no facts."],
    ["exclusions", { instance: "a", reason: 1 }, "reason is a text"],
    ["exclusions", { instance: "a", excluded: "no" }, "excluded is true or false."],
    ["releases", { version: "two" }, "version is a semver version"],
    ["releases", { version: "2.4.0" }, "releasedAt is a day or a time"],
    ["releases", { version: "2.4.0", releasedAt: "2026-02-30" }, "releasedAt is a day or a time"],
    ["releases", { version: "2.4.0", isRelease: false, releasedAt: "2026-02-01" }, "Write releasedAt only"],
    ["releases", { version: "2.4.0", isRelease: "no" }, "isRelease is true, false, or null"],
    ["rebuild", { months: [] }, "months is a list of 1 to 120 months"],
    ["rebuild", { months: ["2026-13"] }, 'such as ["2026-01"]'],
    ["rebuild", { month: "2026-01" }, 'The body has only "months"'],
    ["rebuild", ["2026-01"], 'The body has only "months"'],
  ])("explains what is wrong with what is posted to /api/%s: %j", async (path, body, words) => {
    const response = await fetch(`${candor.url}/api/${path}`, {
      method: "POST",
      headers: { authorization: "Bearer token-a", "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect([response.status, (await answerOf(response)).message?.includes(words)]).toEqual([400, true]);
  });

  it("describes every path of the read API as OpenAPI, and sets security headers", async () => {
    const response = await fetch(`${candor.url}/api/openapi.json`);
    const document = await answerOf(response);
    const paths = [
      "/api/contacts",
      "/api/count",
      "/api/events",
      "/api/exclusions",
      "/api/forget",
      "/api/live",
      "/api/products",
      "/api/rebuild",
      "/api/releases",
      ...REPORT_NAMES.map((name) => `/api/reports/${name}`).sort(),
      "/api/sql",
      "/healthz",
      "/metrics",
      "/privacy",
      "/privacy.json",
      "/readyz",
    ];
    expect(Object.keys(document.paths ?? {}).sort()).toEqual(paths);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("answers an unknown path with a JSON 404", async () => {
    const response = await get("/api/nothing");
    expect([response.status, (await answerOf(response)).code]).toEqual([404, "not_found"]);
  });
});
