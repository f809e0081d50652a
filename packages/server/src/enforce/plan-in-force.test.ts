import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import { APPSMITH_PLAN, answerOf, eventually, startForTest, type TestCandor } from "../rig/in-process.ts";

const dir = mkdtempSync(join(tmpdir(), "candor-plan-"));
const file = join(dir, "plan.yaml");
const plan = readFileSync(APPSMITH_PLAN, "utf8");
const nextVersion = REFERENCE_PLAN.version + 1;
/** The plan with the additional event "Query Run", whose property `rows` is a column. */
const grown = `${plan
  .replace(/^version: \d+$/m, `version: ${nextVersion}`)
  .replace(
    /^changelog:$/m,
    `changelog:\n  - { version: ${nextVersion}, date: "2026-11-23", text: Query Run. }`,
  )}
  - type: track
    name: Query Run
    source: [server]
    since: ${nextVersion}
    why: A test wants to know.
    owner: tests
    review: https://example.org/review
    properties:
      rows: { type: integer, sensitivity: technical, description: Rows., example: 3, column: true }
`;

let candor: TestCandor;
beforeAll(async () => {
  writeFileSync(file, plan);
  candor = await startForTest({ CANDOR_PLAN: file });
});
afterAll(async () => {
  await candor.close();
  rmSync(dir, { recursive: true });
});

const QUERY_RUN = { type: "track", event: "Query Run", userId: "f".repeat(40), properties: { rows: 3 } };
const send = async (message: object = QUERY_RUN) =>
  answerOf(await candor.post("/v1/batch", { batch: [message] }));

describe("the plan in force", () => {
  it("changes with its file while messages arrive, and no request fails; a broken file changes nothing", async () => {
    expect(await send()).toMatchObject({ accepted: 0, dropped: [{ reason: "event_not_in_plan" }] });
    const statuses = new Set<number>();
    const active = {
      type: "track",
      event: "Instance Active",
      userId: "f".repeat(40),
      properties: { instanceId: "0".repeat(24) },
    };
    let isDone = false;
    const load = (async () => {
      while (!isDone) statuses.add((await candor.post("/v1/track", active)).status);
    })();

    writeFileSync(join(dir, "new.yaml"), grown);
    renameSync(join(dir, "new.yaml"), file); // as editors do
    expect(await eventually(send, ({ accepted }) => accepted === 1)).toMatchObject({ accepted: 1 });
    expect(candor.reports.at(-1)).toBe("The plan has changed: version 4 is in force.");

    writeFileSync(file, grown.replace("type: integer", "type: intger"));
    const faulty = () => candor.read("/api/reports/plan");
    const report = await eventually(faulty, ({ fault }) => fault !== undefined);
    expect(report).toMatchObject({ planVersion: 4, fault: expect.stringContaining("plan.yaml:") });
    expect(candor.reports.at(-1)).toMatch(/type.*\n.*version 4\) stays in force/s);
    expect(await send()).toMatchObject({ accepted: 1 });

    writeFileSync(file, plan);
    expect(await eventually(send, ({ accepted }) => accepted === 0)).toMatchObject({ accepted: 0 });
    expect((await candor.read("/api/reports/plan")).fault).toBeUndefined();
    isDone = true;
    await load;
    expect([...statuses]).toEqual([200]);
  });

  it("counts what it trimmed and dropped, by declared path, and stores the counts", async () => {
    const message = {
      type: "track",
      event: "Instance Active",
      userId: "jane@example.org",
      properties: { instanceId: "1".repeat(24), "jane@example.org": 1, other: 2 },
      context: { device: { id: "x" } },
    };
    expect(await send(message)).toMatchObject({ accepted: 1 });
    expect(await send({ ...message, properties: {} })).toMatchObject({
      dropped: [{ reason: "required_missing" }],
    });
    const report = await candor.read("/api/reports/plan");
    const found = { source: "server", event: "track Instance Active", count: 1 };
    expect(report.trimmed).toEqual(
      expect.arrayContaining([
        { ...found, path: "properties.*", reason: "undeclared" },
        { ...found, path: "context.*", reason: "undeclared" },
        { ...found, path: "userId", reason: "id_replaced" },
      ]),
    );
    expect(report.refused).toContainEqual({ ...found, reason: "required_missing" });
    const metrics = await (await fetch(`${candor.url}/metrics`)).text();
    expect(metrics).toContain(
      'candor_plan_findings_total{source="server",event="track Instance Active",path="properties.*",reason="undeclared"} 1',
    );
    expect(JSON.stringify(report) + metrics).not.toContain("jane");
  });

  it("records for each event which plan checked it, where it came from and what was trimmed", async () => {
    const message = {
      type: "track",
      event: "Instance Active",
      userId: "2".repeat(40),
      properties: { instanceId: "1".repeat(24), more: 1 },
      context: { ip: "203.192.213.46" },
    };
    await send(message);
    const { events } = await eventually(
      () => candor.read(`/api/events?userId=${message.userId}`),
      (page) => page.events?.length === 1,
    );
    expect(events?.[0]).toMatchObject({
      context: { ip: "203.192.213.0" },
      properties: { instanceId: "1".repeat(24) },
      candor: {
        source: "server",
        country: "IN",
        planVersion: REFERENCE_PLAN.version,
        trimmed: ["properties.*"],
      },
    });
  });

  it("hashes a sent hash again, and finds and deletes its events by the sent hash", async () => {
    const [user, username] = ["4".repeat(64), "5".repeat(64)];
    const message = {
      type: "track",
      event: "execute_ACTION_TRIGGERED",
      userId: user,
      properties: { instanceId: "6".repeat(24), username },
    };
    await send(message);
    for (const query of [`userId=${user}`, `properties.username=${username}`]) {
      const { events } = await eventually(
        () => candor.read(`/api/events?${query}`),
        (page) => page.events?.length === 1,
      );
      expect(events).toMatchObject([
        {
          userId: expect.stringMatching(/^[0-9a-f]{32}$/),
          properties: { username: expect.stringMatching(/^[0-9a-f]{32}$/) },
        },
      ]);
      expect(JSON.stringify(events)).not.toMatch(/4{32}|5{32}/);
    }
    const response = await fetch(`${candor.url}/api/forget`, {
      method: "POST",
      headers: { authorization: "Bearer token-a", "content-type": "application/json" },
      body: JSON.stringify({ user }),
    });
    expect(await answerOf(response)).toMatchObject({ forgotten: { user }, removed: [{ rows: 1 }, {}, {}] });
    expect(await candor.read(`/api/count?properties.username=${username}`)).toEqual({ count: 0 });
  }, 300_000);

  it("finds an event by the id that was sent, even if only the id's hash is kept", async () => {
    const message = {
      type: "track",
      event: "Instance Active",
      userId: "jane@example.net",
      messageId: "jane@m",
      properties: { instanceId: "3".repeat(24) },
    };
    await send(message);
    for (const query of ["userId=jane@example.net", "messageId=jane@m"]) {
      const { events } = await eventually(
        () => candor.read(`/api/events?${query}`),
        (page) => page.events?.length === 1,
      );
      expect(events).toMatchObject([
        { userId: expect.stringMatching(/^[0-9a-f]{32}$/), messageId: expect.stringMatching(/^hashed-/) },
      ]);
    }
  });
});

describe("startup", () => {
  it("fails if the plan is missing or broken, and says where", async () => {
    await expect(startForTest({ CANDOR_PLAN: join(dir, "none.yaml") })).rejects.toMatchObject({
      code: "plan_unreadable",
    });
    writeFileSync(join(dir, "broken.yaml"), plan.replace("ip: truncate", "ip: trunk"));
    await expect(startForTest({ CANDOR_PLAN: join(dir, "broken.yaml") })).rejects.toMatchObject({
      code: "plan_invalid",
      message: expect.stringMatching(/broken\.yaml:\d+:\d+ .*ip.*truncate/),
    });
  });
});
